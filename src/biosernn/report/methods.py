"""A methods paragraph to paste into a paper, filled from the study, with its references."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from biosernn.analysis.findings import Contrast
from biosernn.protocol import protocol_named
from biosernn.report.composition import in_words
from biosernn.report.inputs import ReportInputs
from biosernn.report.references import REFERENCES
from biosernn.report.setting import Setting
from biosernn.study.provenance import versions_of

RECIPES = {
    "seed": "without clipping (recipe “seed”)",
    "clipped": "with the cross-entropy’s gradient bounded at a norm of 1 and the penalty’s left as "
    "it is (recipe “clipped”)",
    "tuned": "with the learning rate and the bound on the gradient’s norm chosen per arm on seeds "
    "of their own (recipe “tuned”)",
}
PROTOCOLS = {
    "corrected": "the text of the seed study with its errors mended (protocol “corrected”)",
    "published": "what the released code does (protocol “published”)",
}
TASKS = {
    "maze": "the maze (goal 20 steps, delay 10, choices 20; eight distinct trials; a network "
    "without memory reaches 5/8)",
    "go_no_go": "go/no-go (fixation 5 steps, stimulus 20, delay 10, decision 5)",
    "perceptual": "perceptual decision (stimulus 30 steps, delay 10; coherence 0 to 51.2 %)",
}


SIGNS = {
    "nonnegative": "recurrent weights held at 0 or above",
    "dale": "signs by cell class (Dale’s rule)",
}


class _Citations:
    """Numbers references in the order in which they are first cited."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, *keys: str) -> str:
        for key in keys:
            if key not in self.keys:
                self.keys.append(key)
        return "[" + ", ".join(str(self.keys.index(key) + 1) for key in keys) + "]"


def methods(inputs: ReportInputs, settings: Sequence[Setting]) -> str:
    """Write what was done, for a paper's methods section, and the list of what it cites.

    Parameters
    ----------
    inputs
        The study.
    settings
        All of its settings, the primary contrast's first.

    Returns
    -------
    One paragraph, an empty line, and one line a reference.

    """
    cite = _Citations()
    sentences = (
        _cohorts(inputs, cite),
        f"W_bio, the bio-inspired initial weights {cite('seed', 'follow_up')}, is the elementwise "
        "product of lognormal draws (μ = −0.5, σ = 0.5), the min–max scaled Pearson correlation "
        f"and the min–max scaled spike time tiling coefficient {cite('sttc')} of the neurons’ "
        "recorded activity, with small weights thresholded, scaled to a spectral radius of 0.95.",
        _arms(inputs),
        _training(inputs, settings, cite),
        _outcomes(inputs, settings, cite),
        _made_with(inputs.provenance),
    )
    listed = [
        f"{number}. {reference.text}" + (f" {reference.label}." if reference.label else "")
        for number, reference in enumerate(map(REFERENCES.__getitem__, cite.keys), 1)
    ]
    return " ".join(sentences) + "\n\n" + "\n".join(listed)


def _cohorts(inputs: ReportInputs, cite: _Citations) -> str:
    known: Any = inputs.provenance.get("cohorts") or [
        {
            "name": inputs.cohort.name,
            "neurons": inputs.cohort.n_neurons,
            "source": inputs.cohort.provenance,
        }
    ]
    kinds = {str(cohort["source"].get("kind")) for cohort in known}
    each = ", ".join(f"{cohort['name']} ({cohort['neurons']} neurons)" for cohort in known)
    if kinds == {"synthetic"}:
        origin = f"neurons of the made-up cohort {each}"
    else:
        origin = f"neurons of mouse visual cortex {cite('microns')}, cohort {each}"
    units = inputs.provenance.get("units") or (known[0]["neurons"] if len(known) == 1 else None)
    some = units and any(int(cohort["neurons"]) > int(units) for cohort in known)
    drawn = "; each seed drew its own, the same in all arms" if some else ""
    size = f"{units} relu units" if units else "relu units"
    trained = f"Recurrent networks of {size} were trained"
    return f"{trained}, each unit standing for one of the {origin}{drawn}."


def _arms(inputs: ReportInputs) -> str:
    described = "; ".join(f"{name} ({_made_of(arm)})" for name, arm in inputs.arms.items())
    return (
        "The arms differ in self-weights, off-diagonal weights, the geometry of the penalty’s "
        "distances (true positions unless said), its communicability factor and, where said, its "
        f"strength and the weights’ signs: {described}."
    )


def _made_of(arm: Mapping[str, object]) -> str:
    parts = [
        *in_words(arm).split(" · "),
        f"communicability {arm.get('communicability', 'unknown')}",
    ]
    if (strength := arm.get("strength")) is not None:
        parts.append(f"λ = {strength:g}" if strength else "no penalty")
    if sign := SIGNS.get(str(arm.get("sign", "free"))):
        parts.append(sign)
    return ", ".join(parts)


def _training(inputs: ReportInputs, settings: Sequence[Setting], cite: _Citations) -> str:
    recipes = list(dict.fromkeys(r for setting in settings for r in setting.recipes))
    protocols = list(dict.fromkeys(setting.protocol for setting in settings))
    tasks = list(dict.fromkeys(setting.task for setting in settings))
    strengths = sorted(set(inputs.results["strength"].astype(float)))
    epochs = inputs.provenance.get("epochs")
    length = f"{epochs} epochs of 40 steps" if epochs else "epochs of 40 steps"
    learnt = " or ".join(RECIPES.get(recipe, f"recipe {recipe}") for recipe in recipes)
    followed = " or ".join(PROTOCOLS.get(name, f"protocol {name}") for name in protocols)
    rate = "" if recipes == ["tuned"] else "learning rate 0.001, "
    parts = [
        f"They learnt {_listed(TASKS.get(task, task) for task in tasks)}, with Gaussian noise "
        "(sd 0.05) on the input while training and a softmax readout of the last state, by Adam",
        cite("adam"),
        f"({rate}batches of 128, {length})",
        learnt,
        *([cite("clipping")] if "clipped" in recipes else []),
        "on the cross-entropy plus, where the arm has one, the arm’s penalty:",
        f"{_penalties(inputs, protocols, cite)}. λ = {_listed(f'{value:g}' for value in strengths)}"
        f"{_matched(protocols)}. This follows {followed}.",
    ]
    return " ".join(parts)


def _penalties(inputs: ReportInputs, protocols: Sequence[str], cite: _Citations) -> str:
    """The penalties that the arms have, by geometry and communicability."""
    kinds = {
        ("L1" if fields.get("geometry") == "none" else str(fields.get("communicability", "own")))
        for fields in inputs.arms.values()
        if fields.get("strength") != 0
    }
    unscaled = {protocol_named(name).l1_strength == "one" for name in protocols}
    said = {
        "own": f"λ Σ |W| ⊙ C ⊙ D {cite('sernn')} with D the distances of the arm’s geometry and C "
        f"the weighted communicability {cite('communicability')}",
        "none": "λ Σ |W| ⊙ D without the factor C",
        "matched": "one that also matches the sorted communicabilities to those of the measured "
        "wiring",
        "L1": " or ".join("Σ |W| without λ" if is_so else "λ Σ |W|" for is_so in sorted(unscaled)),
    }
    return ", ".join(words for kind, words in said.items() if kind in kinds) or "none"


def _matched(protocols: Sequence[str]) -> str:
    common = {protocol_named(name).strength_match == "common" for name in protocols}
    if common == {False}:
        return ", used as it is"
    where = "" if common == {True} else "where the protocol corrects it "
    return f", {where}matched over the kinds of penalty on one reference"


def _outcomes(inputs: ReportInputs, settings: Sequence[Setting], cite: _Citations) -> str:
    results = inputs.results
    seeds = results.groupby(["cohort", "task", "protocol", "recipe", "arm", "strength"])["seed"]
    counts = np.unique(seeds.nunique())
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    diverged = int((results["status"] == "diverged").sum())
    failed = (
        f"{diverged:,} of which diverged and count as failures" if diverged else "none diverged"
    )
    contrasts = inputs.analysis.contrasts
    return (
        f"There were {each} seeds per arm and condition, {len(results):,} runs in all, "
        f"{failed}. A run is solved when every distinct trial "
        "that can be decided is right, without noise, with the weights after its last step; steps "
        "to criterion are the first of three successive checks, five steps apart, with all of them "
        "right, else all steps (restricted mean). Arms of one seed share data, noise, units and "
        f"draws, so differences are paired by seed. {_primary(contrasts)}Differences in steps have "
        "the interval that the sign-flip permutation test does not reject "
        f"{cite('hartigan')}, each arm’s own mean a BCa bootstrap over seeds {cite('efron')}; "
        f"fractions solved Newcombe’s paired interval {cite('newcombe')} and the exact McNemar "
        f"test {cite('mcnemar')}{_adjusted(contrasts, cite)}."
    )


def _adjusted(contrasts: Sequence[Contrast], cite: _Citations) -> str:
    if not any(contrast.in_family and contrast.n for contrast in contrasts):
        return "; all contrasts are exploratory"
    return (
        f", with Holm’s adjustment {cite('holm')} within the family fixed beforehand; all other "
        "contrasts are exploratory"
    )


def _primary(contrasts: Sequence[Contrast]) -> str:
    primary = next((c for c in contrasts if c.primary and c.n), None)
    if primary is None:
        return ""
    steps = primary.outcome == "restricted_mean_steps"
    outcome = "restricted mean steps to criterion" if steps else "the fraction solved"
    bound = f"±{primary.bound:g} steps" if steps else f"±{primary.bound:g}"
    return (
        f"The primary outcome, fixed beforehand, is the difference in {outcome} of {primary.arm} "
        f"and {primary.null} under recipe {primary.recipe}; differences within {bound} (90 % "
        f"interval) count as none. "
    )


def _made_with(provenance: Mapping[str, Any]) -> str:
    versions = versions_of(provenance.get("sessions") or []) or provenance.get("versions") or {}
    wanted = ("biosernn", "jax", "jaxlib", "numpy", "scipy")
    used = ", ".join(f"{name} {versions[name]}" for name in wanted if name in versions)
    made = f"All was computed with {used or 'biosernn'}"
    study = provenance.get("study")
    return made + (f"; the study’s hash is {study[:12]}." if study else ".")


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else str(last)
