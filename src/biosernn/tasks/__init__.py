"""What the networks are trained on: distinct trials, labels and how often each occurs."""
