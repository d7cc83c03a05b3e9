"""A study: what is asked, the runs that it plans, their execution and their store."""
