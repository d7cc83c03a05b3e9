"""Two study folders, held against each other run by run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from biosernn.study.provenance import versions_of
from biosernn.study.store import NAMED, SETTING, Store


@dataclass(frozen=True)
class Differences:
    """Where two study folders differ, one sentence each.

    Attributes
    ----------
    versions
        What their numbers may depend on.
    numbers
        Runs that only one of them holds, and columns and metrics whose values differ.

    """

    versions: tuple[str, ...]
    numbers: tuple[str, ...]


def compare(folder: str | Path, other: str | Path) -> Differences:
    """Compare the versions and tables of two study folders, run by run.

    Raises
    ------
    BadInput
        If one of them holds no tables.

    Examples
    --------
    >>> import tempfile
    >>> from biosernn.run import run
    >>> from biosernn.study.presets import preset
    >>> small = preset("quick").with_options(
    ...     cohort="synthetic:16", arms=["WD*C"], seeds=2, epochs=1, recipe="seed"
    ... )
    >>> with tempfile.TemporaryDirectory() as place:
    ...     first = run(small, f"{place}/first", workers=0).folder
    ...     second = run(small.with_options(epochs=2), f"{place}/second", workers=0).folder
    ...     compare(first, second).numbers[0]
    'results: accuracy differs in 2 of 2 runs'

    """
    one, two = Store(folder), Store(other)
    old, new = one.results(), two.results()
    numbers = _unequal("results", old, new, NAMED, "runs")
    keys = [old[["run", *NAMED]], new[["run", *NAMED]]]
    metrics = dict.fromkeys(m for store in (one, two) for m in store.metrics())
    for metric in metrics:
        was, became = (
            store.curves([metric]).drop(columns="metric").merge(key, on="run").drop(columns="run")
            for store, key in zip((one, two), keys, strict=True)
        )
        numbers += _unequal(f"curves of {metric}", was, became, [*NAMED, "step"], "checks")
    was, became = one.sweep(), two.sweep()
    if was.empty != became.empty:
        numbers.append("sweep: is only in one of them")
    elif not was.empty:
        numbers += _unequal("sweep", was, became, [*NAMED, *SETTING], "runs")
    old_made, new_made = _made_with(one), _made_with(two)
    made = [
        f"{name}: {old_made.get(name, 'not recorded')} and {new_made.get(name, 'not recorded')}"
        for name in old_made | new_made
        if old_made.get(name) != new_made.get(name)
    ]
    return Differences(tuple(made), tuple(numbers))


def _made_with(store: Store) -> dict[str, str]:
    provenance = store.provenance()
    if not provenance:
        return {}
    return {"engine": str(provenance.get("engine"))} | versions_of(provenance["sessions"])


def _unequal(
    table: str, old: pd.DataFrame, new: pd.DataFrame, keys: Sequence[str], rows: str
) -> list[str]:
    both = old.merge(new, on=list(keys), how="outer", suffixes=("", "\n"), indicator=True)
    shared = both[both["_merge"] == "both"]
    found = [
        f"{table}: {count:,} {rows} are only {where}"
        for side, where in (("left_only", "in the first"), ("right_only", "in the second"))
        if (count := int((both["_merge"] == side).sum()))
    ]
    for column in old.columns.symmetric_difference(new.columns):
        found.append(f"{table}: column {column} is only in one of them")
    for column in old.columns.intersection(new.columns).difference([*keys, "run"], sort=False):
        a, b = shared[column], shared[f"{column}\n"]
        unequal = int(((a != b) & ~(a.isna() & b.isna())).sum())
        if unequal:
            found.append(f"{table}: {column} differs in {unequal:,} of {len(shared):,} {rows}")
    return found
