"""The answer in plain sentences: whether the 37 per cent hold, when there is a gain, and why."""

from collections.abc import Sequence

import pandas as pd

from biosernn.analysis.family import HEADLINE, named_pair
from biosernn.protocol import RECIPES
from docs.results.contrasts import ends, over_fields, verdicts
from docs.results.gaps import CLAIMED, Gap, first
from docs.results.markdown import literal, signed
from docs.results.tables import BIO, PLAIN, Read

MEANT = {
    "seed": "Adam alone, as in the study",
    "clipped": "Adam with the gradient clipped",
    "tuned": "learning rate and clip chosen for each arm",
}
"""What a recipe is, in words."""

IN_WORDS = {
    "diagonal-only": "the self-weights alone",
    "off-diagonal": "all but the self-weights",
    "identity": "0.95 times it, no data at all",
}
"""Arms that tell what the self-weights do, in words."""


def answer(
    read: Read, gaps: Sequence[Gap], holds: Sequence[str], published: pd.DataFrame | None
) -> list[str]:
    """What a reader should know who reads nothing else.

    Parameters
    ----------
    read
        The studies, each at one strength.
    gaps
        The two networks, wherever both ran.
    holds
        In how many intervals the claim lies, in points and relative.
    published
        The follow-up's tables, where they are at hand.

    """
    bio, plain = literal(BIO), literal(PLAIN)
    counted = first(gaps)
    return [
        f"The study claims that {bio}, whose start weights come from recorded activity, does "
        f"{CLAIMED:g} % better on the maze than {plain}, the same network with random orthogonal "
        f"start weights. It does not say {CLAIMED:g} % of what: most likely points of accuracy, "
        "since a network without memory gets 62.5 % and one that solves the maze 100 %.\n",
        f"**{CLAIMED:g} points of accuracy lie within {holds[0]} intervals here**; they would need "
        "a plain network that never learns. Read as a gain relative to the plain network's, "
        f"{CLAIMED:g} % is not rejected at 5 % in {holds[1]}. What is not estimable is not "
        "counted."
        f"{_published(counted, published)}\n",
        "When there is a gain, by recipe; counts are of settings, each a cohort, a protocol and a "
        "number of units:\n",
        *(
            paragraph
            for recipe, words in MEANT.items()
            for paragraph in _under(recipe, words, [g for g in counted if g.recipe == recipe])
        ),
        "**Why: against the named nulls**, in steps to criterion under the corrected protocol, "
        f"over the fields. {bio} is held against the same weights shuffled within distance bins "
        "(activity) and the same positions dealt out at random (geometry), the measured wiring "
        "against the same connections rewired at the same degrees and lengths.\n",
        *(line for recipe in RECIPES if (line := _causes(read, recipe))),
        "",
        *_of_the_self_weights(read),
        "**What this does not say.** All fields are of one mouse; an interval describes new "
        "training seeds on the same neurons and nothing beyond. The maze tests whether a network "
        "can be trained, not whether it generalises. A comparison is exploratory where it does "
        "not say otherwise, and *cannot tell* is not *no difference*.\n",
    ]


def _published(gaps: Sequence[Gap], published: pd.DataFrame | None) -> str:
    """What the follow-up prints, and the same run again."""
    if published is None:
        return ""
    maze = published[(published["task"] == "maze") & (published["outcome"] == "accuracy")]
    theirs = maze.set_index("arm")["mean"]
    said = (
        f" The follow-up's own table has {theirs[BIO]:.3f} against {theirs[PLAIN]:.3f}, "
        f"{100 * (theirs[BIO] - theirs[PLAIN]):.1f} points"
    )
    ours = next((g for g in gaps if g.study.name == "grid"), None)
    if ours is None:
        return f"{said}."
    mean = ours.runs["accuracy"].mean()
    return (
        f"{said}; run again here, with its protocol and as many neurons, {mean[BIO]:.3f} against "
        f"{mean[PLAIN]:.3f}, {signed(*ours.points, digits=1)}."
    )


def _under(recipe: str, words: str, gaps: Sequence[Gap]) -> list[str]:
    """When there is a gain: under one recipe, over the settings."""
    if not gaps:
        return []
    solved, steps = [g.solved for g in gaps], [g.steps for g in gaps]
    points = ends([100 * c.effect.estimate for c in solved], 0, sign=True)
    later = ends([c.effect.estimate for c in steps], 1, sign=True)
    without = ends([g.steps_without(g.leading_seed) for g in gaps], 1, sign=True)
    status = "" if any(c.in_family for c in (*solved, *steps)) else ", exploratory"
    shares = [ends([100 * g.runs["solved"][arm].mean() for g in gaps], 0) for arm in (BIO, PLAIN)]
    sooner = [100 * float((g.steps_apart < 0).mean()) for g in gaps]
    return [
        f"**Recipe {recipe}, {words}: in runs solved {verdicts(solved)}, in steps "
        f"{verdicts(steps)}{status}.** {literal(BIO)} solves {shares[0]} % of its runs, "
        f"{literal(PLAIN)} {shares[1]} %: {points} points. Its mean steps to criterion, of 400, "
        f"minus those of {literal(PLAIN)}: {later}; without the one seed that moves each most, "
        f"{without}. It is sooner in {ends(sooner, 0)} % of the seeds.\n"
    ]


def _causes(read: Read, recipe: str) -> str:
    """The three questions under one recipe, as an item of a list."""
    told = []
    for question in reversed(HEADLINE):
        found = over_fields(read, *named_pair(question), recipe, "restricted_mean_steps")
        if found:
            told.append(f"{question} {verdicts(found)}")
    return f"- Recipe {recipe}: {'; '.join(told)}." if told else ""


def _of_the_self_weights(read: Read) -> list[str]:
    """What the start weights' diagonal does, in one paragraph."""
    runs = pd.concat(results[results["task"] == "maze"] for _, results, _ in read)
    runs = runs[runs["recipe"].isin(RECIPES)].drop_duplicates(["run", "recipe"])
    told = []
    for protocol, recipes in (("corrected", RECIPES), ("published", ["clipped"])):
        here = runs[(runs["protocol"] == protocol) & runs["recipe"].isin(recipes)]
        by_arm = here.groupby("arm")["solved"].agg(["sum", "size"]).astype(int)
        words = [
            f"{arm} ({name}) {by_arm.loc[arm, 'sum']} of {by_arm.loc[arm, 'size']}"
            for arm, name in IN_WORDS.items()
            if arm in by_arm.index
        ]
        if words:
            told.append(f"under {protocol}, {' and '.join(recipes)}, {', '.join(words)}")
    if not told:
        return []
    return [
        "**The self-weights hold no neuron's data.** Both similarity matrices have ones on the "
        "diagonal, so that self-weights are lognormal draws, far above the rest. Runs solved: "
        f"{'; '.join(told)}. These controls change more than their names say, so none of them "
        "alone shows a cause.\n"
    ]
