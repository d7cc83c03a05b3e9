"""What of an arm and a protocol a run can feel at all."""

from dataclasses import fields, replace
from functools import cache

from biosernn.protocol import Protocol
from biosernn.study.arms import Arm

FIELDS = frozenset(field.name for field in fields(Protocol))

READ = frozenset({"bins", "heldout", "accuracy", "nulls"})
"""Fields that say what is read of a trained network, its activity held against the recorded one."""

OF_START = frozenset({"threshold", "connectome_order"})
OF_PENALTY = frozenset(
    {
        *("l1_strength", "matched_wiring_term", "isolated"),
        *("positions", "geometry_scale", "strength_match"),
    }
)
"""Fields that act through the initial weights or the penalty alone; any other is felt by all."""

WITHOUT_BIO = ("orthogonal", "identity")
"""Initial weights that hold nothing of W_bio, so that its threshold is not felt."""


@cache
def felt(
    arm: Arm, protocol: Protocol, strength: float, *, rebinned: bool = True
) -> tuple[Arm, Protocol]:
    """Set every choice that cannot change a run's numbers to one fixed value.

    Two runs that differ in such choices alone are one computation: without a penalty no geometry is
    felt, and without geometry no scale of it.

    Parameters
    ----------
    arm
        The arm; its own strength counts before the study's.
    protocol
        The protocol; what is not felt of it becomes as in the corrected one.
    strength
        The study's λ.
    rebinned
        Whether the bins change the cohort's correlation, as events alone let them.

    Examples
    --------
    >>> from biosernn.protocol import protocol_named
    >>> from biosernn.study.arms import ARMS
    >>> released = protocol_named("corrected+threshold+geometry_scale+bins")
    >>> felt(ARMS["WD*C"], released, 0.3)[1].departures()
    ('geometry_scale', 'bins')
    >>> felt(ARMS["WD*C"], released, 0.0, rebinned=False)[1].departures()
    ()

    """
    used = strength if arm.strength is None else arm.strength
    arm = replace(arm, strength=used)
    if not used:
        arm = replace(arm, geometry="none", communicability="none")
    by_all = FIELDS - OF_START - OF_PENALTY
    by_penalty = _by_penalty(arm, protocol) if used else ()
    names = by_all.union(_by_start(arm), by_penalty)
    return arm, _of(protocol, names if rebinned else names - {"bins"})


@cache
def felt_in_training(
    arm: Arm, protocol: Protocol, strength: float, *, noisy_trials: bool, rebinned: bool = True
) -> tuple[Arm, Protocol]:
    """Set besides what `felt` sets every choice that is read after training alone.

    Of trials that have noise of their own, those that curves are read on are drawn in training.

    Examples
    --------
    >>> from biosernn.protocol import PUBLISHED
    >>> from biosernn.study.arms import ARMS
    >>> felt_in_training(ARMS["W0"], PUBLISHED, 0.3, noisy_trials=False)[1].departures()
    ('draws',)

    """
    arm, protocol = felt(arm, protocol, strength, rebinned=rebinned)
    read = READ - {"heldout"} if noisy_trials else READ
    return arm, _of(protocol, (FIELDS - read).union(_by_start(arm)))


def _of(protocol: Protocol, names: frozenset[str]) -> Protocol:
    """A protocol that has some choices of another, and is corrected otherwise."""
    return Protocol(**{name: getattr(protocol, name) for name in names})


def _by_start(arm: Arm) -> tuple[str, ...]:
    """Fields that the initial weights hang on, and the penalty's measured wiring."""
    return (
        *("threshold",) * (arm.init not in WITHOUT_BIO),
        *("bins",) * ("corr" in arm.needs),
        *("connectome_order",) * ("wiring" in arm.needs),
    )


def _by_penalty(arm: Arm, protocol: Protocol) -> tuple[str, ...]:
    """Fields that a penalty hangs on.

    Distance x communicability on the real positions is the common reference itself: its strength
    is the same matched or not.
    """
    distances = ("positions", "geometry_scale")
    if arm.geometry == "none":
        if protocol.l1_strength == "one":
            return ("l1_strength",)
        common = protocol.strength_match == "common"
        return ("l1_strength", "strength_match", *distances * common)
    if arm.communicability == "none":
        return (*distances, "strength_match")
    if arm.communicability == "own":
        reference = arm.geometry == "real"
        return (*distances, "isolated", *("strength_match",) * (not reference))
    reference = arm.geometry == "real" and protocol.matched_wiring_term == "with_c"
    matched = ("isolated", "matched_wiring_term")
    return (*distances, *matched, *("strength_match",) * (not reference))
