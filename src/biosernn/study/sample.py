"""The neurons that one seed draws from a cohort, with everything that the seed's arms share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput
from biosernn.geometry.box import uniform_box
from biosernn.geometry.distances import pairwise_distances, unit_mean_distance
from biosernn.geometry.grid import integer_lattice, lattice
from biosernn.geometry.scramble import minmax_scrambled
from biosernn.geometry.shuffle import shuffled_positions
from biosernn.graphs.communicability import target_communicability
from biosernn.graphs.rewire import degree_preserving_rewiring, distance_preserving_rewiring
from biosernn.initializers.bio import compose_bio_weights
from biosernn.initializers.diagonal import (
    constant_diagonal,
    diagonal_only,
    off_diagonal,
    off_diagonal_rescaled,
)
from biosernn.initializers.distance_binned_shuffle import shuffled, shuffled_in_bins
from biosernn.initializers.identity import scaled_identity
from biosernn.initializers.moment_matched import moment_matched
from biosernn.initializers.orthogonal import haar_orthogonal
from biosernn.initializers.relabelled import relabelled
from biosernn.initializers.rotation import rotated
from biosernn.initializers.sign import dale, nonnegative
from biosernn.initializers.wiring import wiring_weights
from biosernn.penalties.matched_communicability import sorted_target
from biosernn.penalties.matching import matched_strength
from biosernn.protocol import Protocol
from biosernn.sources.set_order import file_order_counts
from biosernn.study.arms import CELL_CLASSES, Arm, Diagonal
from biosernn.study.cell_class import cell_signs
from biosernn.study.functional import correlation, tiling_coefficient
from biosernn.training.penalty import PenaltyInputs, PenaltyKind
from biosernn.training.randomness import generator

VOXEL_UM = np.array([0.004, 0.004, 0.04])
"""The released code scrambles voxels, and an axis' weight in the mixture is its voxels' number."""


@lru_cache(maxsize=4)
def sample(cohort: Cohort, units: int, seed: int, protocol: Protocol) -> "Sample":
    """Draw one seed's neurons; asked again in the same process, the same object.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> sample(synthetic_cohort(16, 0), 12, 0, Protocol()).bio.shape
    (12, 12)

    """
    return Sample(cohort, units, seed, protocol)


@dataclass(frozen=True, eq=False)
class Sample:
    """One seed's neurons under one protocol.

    Attributes
    ----------
    cohort
        The whole cohort.
    units
        How many neurons are drawn; all of them keep the cohort's order.
    seed
        Of the draw and of everything random below.
    protocol
        Its fields on positions, scale, order, bins, threshold and strengths are read.

    """

    cohort: Cohort
    units: int
    seed: int
    protocol: Protocol

    @cached_property
    def indices(self) -> Int[np.ndarray, " units"]:
        """Which neurons of the cohort, ascending."""
        n = self.cohort.n_neurons
        if self.units == n:
            return np.arange(n)
        return np.sort(self._rng("units").choice(n, self.units, replace=False))

    @cached_property
    def true_distances(self) -> Float[np.ndarray, "units units"]:
        """Between somata, in µm, whatever the protocol."""
        return pairwise_distances(self.cohort.positions_um[self.indices])

    @cached_property
    def counts(self) -> Int[np.ndarray, "units units"]:
        """Synapses from row to column, in the order that the protocol asks for."""
        aligned = self.protocol.connectome_order == "aligned"
        whole = self.cohort.synapse_counts() if aligned else file_order_counts(self.cohort)
        return whole[np.ix_(self.indices, self.indices)]

    @cached_property
    def measured_wiring(self) -> Int[np.ndarray, "units units"] | None:
        """Synapses from row to column, aligned whatever the protocol; None where not known."""
        if self.cohort.wiring is None:
            return None
        return self.cohort.synapse_counts()[np.ix_(self.indices, self.indices)]

    @cached_property
    def recorded_correlation(self) -> Float[np.ndarray, "units units"] | None:
        """Correlation of the neurons' recorded activity; None where not known."""
        matrix, _ = correlation(self.cohort, self.protocol.bins)
        return None if matrix is None else matrix[np.ix_(self.indices, self.indices)]

    @cached_property
    def lognormal(self) -> Float[np.ndarray, "units units"]:
        """The draw that all bio-derived arms share."""
        return self._rng("lognormal").lognormal(-0.5, 0.5, (self.units, self.units))

    @cached_property
    def bio(self) -> Float[np.ndarray, "units units"]:
        """W_bio."""
        return self._composed("corr", "sttc")

    def distances(self, geometry: str) -> Float[np.ndarray, "units units"]:
        """Pairwise distances of one geometry, scaled as the protocol asks.

        Under `geometry_scale` "as_is" the grid is the released one, with whole-number spacing.
        """
        as_is = self.protocol.geometry_scale == "as_is"
        positions = self.cohort.positions_um
        if self.protocol.positions == "minmax_scrambled":
            positions = minmax_scrambled(positions / VOXEL_UM)
        positions = positions[self.indices]
        if geometry == "shuffled":
            positions = shuffled_positions(positions, self._rng("positions"))
        elif geometry == "box":
            positions = uniform_box(positions, self._rng("positions"))
        elif geometry == "grid":
            positions = integer_lattice(self.units) if as_is else lattice(positions)
        distances = pairwise_distances(positions)
        return distances if as_is else unit_mean_distance(distances)

    def initial(self, arm: Arm) -> Float[np.ndarray, "units units"]:
        """Initial recurrent weights of an arm, float64."""
        if arm.diagonal == "keep":
            weights = _INITS[arm.init](self)
        else:
            weights = self._composed("corr", "sttc", arm.diagonal)
        if arm.sign == "dale":
            return dale(weights, self.excitatory)
        return nonnegative(weights) if arm.sign == "nonnegative" else weights

    @cached_property
    def excitatory(self) -> Bool[np.ndarray, " units"]:
        """Which neurons are not known to be inhibitory."""
        signs = cell_signs(self.cohort)
        if signs is None:
            raise BadInput(f"cohort {self.cohort.name}", f"has no {CELL_CLASSES}", "use another")
        return signs[self.indices] >= 0

    def row_sign(self, arm: Arm) -> Float[np.ndarray, " units"] | None:
        """Sign that each presynaptic neuron's weights are held to in training; None: all free."""
        if arm.sign == "dale":
            return np.where(self.excitatory, 1.0, -1.0)
        return np.ones(self.units) if arm.sign == "nonnegative" else None

    def penalty(self, arm: Arm, strength: float) -> tuple[PenaltyKind, PenaltyInputs]:
        """Kind and numbers of an arm's penalty at the study's λ, or its own."""
        asked = strength if arm.strength is None else arm.strength
        if asked == 0:
            return PenaltyKind(), PenaltyInputs(0.0)
        protocol = self.protocol
        common = protocol.strength_match == "common"
        if arm.geometry == "none":
            if protocol.l1_strength == "one":
                return PenaltyKind("l1"), PenaltyInputs(1.0)
            real = self.distances("real")
            used = matched_strength(asked, "l1", real, real) if common else asked
            return PenaltyKind("l1"), PenaltyInputs(used)
        matched = arm.communicability == "matched"
        by_distance = arm.communicability == "none" or (
            matched and protocol.matched_wiring_term == "distance_only"
        )
        wiring: Literal["distance", "distance_communicability"]
        wiring = "distance" if by_distance else "distance_communicability"
        kind = PenaltyKind(wiring, matched, protocol.isolated)
        distances = self.distances(arm.geometry)
        used = asked
        if common:
            used = matched_strength(asked, wiring, distances, self.distances("real"))
        if not matched:
            return kind, PenaltyInputs(used, distances)
        target = target_communicability(self.counts, protocol.isolated)
        return kind, PenaltyInputs(used, distances, sorted_target(target, protocol.isolated))

    def _rng(self, purpose: str) -> np.random.Generator:
        return generator(self.seed, purpose)

    def _similarity(self, name: str) -> Float[np.ndarray, "units units"]:
        if name == "precision":
            matrix, why = self.cohort.precision, f"{self.cohort.name} has no precision matrix"
        elif name == "corr":
            matrix, why = correlation(self.cohort, self.protocol.bins)
        else:
            matrix, why = tiling_coefficient(self.cohort)
        if matrix is None:
            raise BadInput("cohort", why, "leave out the arms that need it or use another cohort")
        return matrix[np.ix_(self.indices, self.indices)]

    def _composed(
        self, first: str | None, second: str | None, diagonal: Diagonal = "keep"
    ) -> Float[np.ndarray, "units units"]:
        return compose_bio_weights(
            None if first is None else self._similarity(first),
            None if second is None else self._similarity(second),
            self.lognormal,
            threshold=self.protocol.threshold,
            diagonal=diagonal,
        ).final

    def _wiring(self) -> Float[np.ndarray, "units units"]:
        return wiring_weights(self.counts, self.lognormal, np.diag(self.bio))


_INITS: dict[str, Callable[[Sample], Float[np.ndarray, "units units"]]] = {
    "bio": lambda s: s.bio,
    "orthogonal": lambda s: haar_orthogonal(s.units, s._rng("orthogonal")),
    "relabelled": lambda s: relabelled(s.bio, s._rng("relabelling")),
    "diagonal-only": lambda s: diagonal_only(s.bio),
    "off-diagonal": lambda s: off_diagonal(s.bio),
    "off-diagonal-rescaled": lambda s: off_diagonal_rescaled(s.bio),
    "constant-diagonal": lambda s: constant_diagonal(s.bio),
    "shuffled-in-bins": lambda s: shuffled_in_bins(
        s.bio, s.true_distances, s._rng("weight shuffle")
    ),
    "shuffled": lambda s: shuffled(s.bio, s._rng("weight shuffle")),
    "identity": lambda s: scaled_identity(s.units),
    "lognormal": lambda s: s._composed(None, None),
    "corr-only": lambda s: s._composed("corr", None),
    "sttc-only": lambda s: s._composed(None, "sttc"),
    "precision-sttc": lambda s: s._composed("precision", "sttc"),
    "moment-matched": lambda s: moment_matched(s.bio, s._rng("moment-matched")),
    "rotated": lambda s: rotated(s.bio, s._rng("rotation")),
    "wiring": Sample._wiring,
    "wiring-rewired": lambda s: degree_preserving_rewiring(s._wiring(), s._rng("rewiring")),
    "wiring-distance-rewired": lambda s: distance_preserving_rewiring(
        s._wiring(), s.true_distances, s._rng("rewiring")
    ),
}
