"""Some of a cohort's neurons, chosen by place, type, wiring or chance."""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from biosernn.cohort.checks import LONGEST_NAME, reals
from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput

Indices = Int64[np.ndarray, " chosen"]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """Which neurons are wanted; what is None leaves all. Each choice is made among those left.

    Attributes
    ----------
    depth_um
        The least and the greatest second coordinate of the soma, in µm, both included.
    cell_type
        A name in the provenance's `cell_types`, which gives the number that stands for it in the
        neurons' column `cell_type`.
    component
        A set of neurons that the wiring holds together, whatever its direction: 1 is the largest,
        2 the next; of two of one size, that of the neuron that comes first.
    most_connected
        How many neurons, those with most connections, in and out, to others that are left; of two
        with as many, the first.
    random
        How many neurons, drawn by `numpy.random.default_rng(seed)`.
    seed
        For `random`.

    Raises
    ------
    BadInput
        If a choice can be none of any cohort.

    Examples
    --------
    >>> Selection(depth_um=(500, 400))
    Traceback (most recent call last):
    biosernn.errors.BadInput: depth: 500 to 400 µm is no range; give the least, then the greatest

    """

    depth_um: tuple[float, float] | None = None
    cell_type: str | None = None
    component: int | None = None
    most_connected: int | None = None
    random: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.depth_um is not None:
            low, high = reals("depth", self.depth_um, (2,))
            if low > high:
                what = f"{low:g} to {high:g} µm is no range"
                raise BadInput("depth", what, "give the least, then the greatest")
        for name, least in (("component", 1), ("most_connected", 2), ("random", 2), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise BadInput(name.replace("_", " "), f"is {value}", f"give {least} or more")

    def __str__(self) -> str:
        words = []
        if self.depth_um is not None:
            words.append("depth {:g} to {:g} µm".format(*self.depth_um))
        if self.cell_type is not None:
            words.append(f"cell type {self.cell_type}")
        if self.component is not None:
            words.append(f"component {self.component}")
        if self.most_connected is not None:
            words.append(f"{self.most_connected} most connected")
        if self.random is not None:
            words.append(f"{self.random} random of seed {self.seed}")
        return ", ".join(words)


def subset(cohort: Cohort, selection: Selection) -> Cohort:
    """Take the selected neurons of a cohort, in its order.

    Parameters
    ----------
    cohort
        The whole.
    selection
        Its choices are made in the order of its attributes.

    Returns
    -------
    Cohort
        Named after both; its provenance holds the selections that led to it and, as `subset_of`,
        the content hash of the whole. Matrices are parts of the whole's: a partial correlation in
        `precision` is still given all neurons.

    Raises
    ------
    BadInput
        If fewer than two neurons are left, or the cohort lacks what a choice goes by.

    Examples
    --------
    >>> from biosernn.cohort.checks import COLUMNS
    >>> cohort = Cohort(
    ...     neurons={name: [1, 2, 3] for name in COLUMNS},
    ...     positions_um=[[0, 410, 0], [0, 590, 0], [0, 400, 0]],
    ...     provenance={"name": "three"},
    ... )
    >>> chosen = subset(cohort, Selection(depth_um=(400, 500)))
    >>> chosen, chosen.neurons["root_id"]
    (<Cohort three (depth 400 to 500 µm): 2 neurons>, array([1, 3]))

    """
    if not str(selection):
        raise BadInput("subset", "chooses nothing", "give a depth, a type, a component or a number")
    left = np.arange(cohort.n_neurons)
    if selection.depth_um is not None:
        left = left[_at_depth(cohort, *selection.depth_um)]
    if selection.cell_type is not None:
        left = left[_of_cell_type(cohort, selection.cell_type)[left]]
    if selection.component is not None:
        left = left[_in_component(_among(cohort, left), selection.component)]
    if selection.most_connected is not None:
        left = left[_most_connected(_among(cohort, left), selection.most_connected)]
    if selection.random is not None:
        left = left[_at_random(len(left), selection.random, selection.seed)]
    if len(left) < 2:
        what = f"leaves {len(left)} of {cohort.n_neurons} neurons"
        raise BadInput(f"{selection} of {cohort.name}", what, "choose two or more")
    chosen = cohort.subset(left)
    choices = {name: value for name, value in asdict(selection).items() if value is not None}
    provenance = chosen.provenance | {
        "name": f"{cohort.name} ({selection})"[:LONGEST_NAME],
        "subset": [*cohort.provenance.get("subset", []), choices],
    }
    return replace(chosen, provenance=provenance)


def _at_depth(cohort: Cohort, low: float, high: float) -> Chosen:
    depth = cohort.positions_um[:, 1]
    return (low <= depth) & (depth <= high)


def _of_cell_type(cohort: Cohort, cell_type: str) -> Chosen:
    numbers = cohort.provenance.get("cell_types")
    if "cell_type" not in cohort.neurons or not isinstance(numbers, dict):
        raise BadInput(f"cohort {cohort.name}", "has no cell types", "use one that has")
    if cell_type not in numbers:
        known = ", ".join(sorted(numbers)) or "none"
        what = f"has no cell type {cell_type!r}"
        raise BadInput(f"cohort {cohort.name}", what, f"name one of {known}")
    return cohort.neurons["cell_type"] == numbers[cell_type]


def _among(cohort: Cohort, left: Indices) -> coo_array:
    """Connections among the neurons that are left, whatever their number of synapses."""
    if cohort.wiring is None:
        raise BadInput(f"cohort {cohort.name}", "has no wiring", "use one that has")
    wiring = cohort.wiring.among(left)
    edges = np.ones(len(wiring.pre), dtype=np.int64)
    return coo_array((edges, (wiring.pre, wiring.post)), shape=(len(left), len(left)))


def _in_component(edges: coo_array, component: int) -> Chosen:
    n_components, label = connected_components(edges, directed=False)
    if component > n_components:
        what = f"is more than the {n_components} that there are"
        raise BadInput(f"component {component}", what, "ask for one of them; 1 is the largest")
    by_size = np.argsort(-np.bincount(label), kind="stable")
    return label == by_size[component - 1]


def _most_connected(edges: coo_array, n: int) -> Indices:
    _check_left(edges.shape[0], n, "most connected")
    degree = edges.sum(axis=0) + edges.sum(axis=1)
    return np.sort(np.argsort(-degree, kind="stable")[:n])


def _at_random(n_left: int, n: int, seed: int) -> Indices:
    _check_left(n_left, n, "random")
    return np.sort(np.random.default_rng(seed).choice(n_left, n, replace=False))


def _check_left(n_left: int, n: int, choice: str) -> None:
    if n > n_left:
        raise BadInput(f"{n} {choice}", f"is more than the {n_left} neurons left", "ask for fewer")
