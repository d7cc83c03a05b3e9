"""The report: fabricated studies on one page, and what a reader of it relies on."""

import numpy as np
import pandas as pd

from biosernn.analysis.analyse import analyse
from biosernn.analysis.family import Primary
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.report.page import ReportInputs
from biosernn.study.arms import ARMS, Arm

STEPS = np.arange(0, 401, 5)
SOON = {"W*D*C": 60, "diagonal-only": 70, "shuffled-in-bins": 75, "positions-shuffled": 62}


def cohort(n: int = 24, **parts) -> Cohort:
    rng = np.random.default_rng(0)
    positions = rng.normal(0, 1, (n, 3)) * (227, 8, 121) + (900, 400, 800)
    similarity = np.corrcoef(rng.normal(size=(n, 40)) + 0.4 * rng.normal(size=40))
    similarity = (similarity + similarity.T) / 2
    pre, post = np.nonzero(np.triu(rng.random((n, n)) < 0.1, 1))
    known = {
        "wiring": Wiring(pre, post, np.ones_like(pre)),
        "corr": similarity,
        "sttc": similarity * 0.8 + 0.2 * np.eye(n),
    } | parts
    return Cohort(
        neurons={
            "nucleus_id": np.arange(1, n + 1),
            "root_id": np.arange(1, n + 1),
            "unit_id": np.arange(n),
            "session": np.full(n, 6),
            "scan": np.full(n, 6),
            "field": np.full(n, 2),
        },
        positions_um=positions,
        provenance={"name": "6_6_2", "kind": "release"},
        **known,
    )


def one_run(rng, arm: Arm, recipe: str, diverges: bool) -> tuple[dict, pd.DataFrame]:
    """A run that stays at the memoryless line, or leaves it at some step."""
    bio = arm.init not in ("orthogonal", "off-diagonal", "off-diagonal-rescaled")
    chance = 0.9 if bio else (0.75 if recipe == "clipped" else 0.1)
    soon = SOON.get(arm.name, 80 if bio else 180) * (0.8 if recipe == "clipped" else 1)
    turn = float(rng.lognormal(np.log(soon), 0.35)) if rng.random() < chance else 500.0
    rise = 1 / (1 + np.exp(-(STEPS - turn) / 8))
    accuracy = 0.25 + 0.375 * (1 - np.exp(-STEPS / 12)) + 0.375 * rise
    accuracy = np.where(accuracy > 0.98, 1.0, np.round(accuracy * 16) / 16)
    noise = np.exp(rng.normal(0, 0.2, len(STEPS)))
    data = noise * np.where(rise > 0.5, 0.05, 0.8) * (1 if bio else 60 * np.exp(-STEPS / 80))
    penalty = 0.1 * np.exp(-STEPS / 150) + 0.02
    if diverges:
        accuracy, data = np.where(STEPS > 100, 0.25, accuracy), np.where(STEPS > 100, np.nan, data)
    right = accuracy >= 1
    reached = bool(right.any()) and not diverges
    curves = {
        "accuracy": accuracy,
        "loss": 1.5 - accuracy,
        "gradient_norm_data": data,
        "gradient_norm_penalty": penalty,
    }
    frame = pd.concat(
        [pd.DataFrame({"step": STEPS, "metric": m, "value": v}) for m, v in curves.items()]
    )
    row = {
        "status": "diverged" if diverges else "done",
        "accuracy": float(accuracy[-1]),
        "accuracy_best": float(accuracy.max()),
        "solved": bool(right[-1]) and not diverges,
        "steps_to_criterion": int(STEPS[right.argmax()]) if reached else 400,
        "censored": not reached,
        "collapsed": False,
        "penalty_dominates": bool(np.nanmean(data) < penalty.mean()),
        "gradient_norm_data_max": float(np.nanmax(data)),
        "clipped_share": 0.0 if recipe == "seed" else float(np.nanmean(data > 1)),
        "largest_self_weight": 0.95 if bio else 0.1,
        "eigenvalues_above_0.8": 2,
        "spectral_radius": 0.95,
        "radius_without_diagonal": 0.43,
        "spectral_radius_end": 1.1,
    }
    return row, frame


def fabricate(
    arms=("W*D*C", "shuffled-in-bins", "WD*C"),
    *,
    seeds: int = 12,
    conditions=(("corrected", "seed"), ("corrected", "clipped")),
    strengths=(0.3,),
    diverging=(),
    recorded: Cohort | None = None,
    **provenance,
) -> ReportInputs:
    """A study's results as if it had been run."""
    rng = np.random.default_rng(1)
    recorded = recorded or cohort()
    arms = [arm if isinstance(arm, Arm) else ARMS[arm] for arm in arms]
    rows, curves = [], []
    for protocol, recipe in conditions:
        for strength in strengths:
            for arm in arms:
                for seed in range(seeds):
                    row, curve = one_run(rng, arm, recipe, arm.name in diverging)
                    run = f"{len(rows):08x}"
                    rows.append(
                        {
                            "run": run,
                            "cohort": recorded.name,
                            "session": 6,
                            "arm": arm.name,
                            "task": "maze",
                            "seed": seed,
                            "protocol": protocol,
                            "recipe": recipe,
                            "units": 24,
                            "strength": strength,
                            "strength_used": strength,
                        }
                        | row
                    )
                    curves.append(curve.assign(run=run))
    results = pd.DataFrame(rows)
    weights = {arm.name: start_weights(arm, rng) for arm in arms}
    return ReportInputs(
        results=results,
        curves=pd.concat(curves, ignore_index=True),
        analysis=analyse(results, primary=Primary()),
        cohort=recorded,
        weights=weights,
        arms={arm.name: arm.table() for arm in arms},
        provenance={
            "study": "0123456789abcdef",
            "preset": "paper",
            "units": 24,
            "planned": len(rows),
            "finished": len(rows),
            "notes": ["6_6_2 has no events: shipped matrices used"],
            "versions": {"biosernn": "0.1", "jax": "0.7"},
        }
        | provenance,
    )


def start_weights(arm: Arm, rng, n: int = 48) -> np.ndarray:
    if arm.init == "orthogonal":
        return np.linalg.qr(rng.normal(size=(n, n)))[0].astype(np.float32)
    off = rng.lognormal(-6.5, 0.8, (n, n)) * np.outer(rng.random(n) + 0.3, rng.random(n) + 0.3)
    if arm.init.startswith("wiring"):
        off = np.where(rng.random((n, n)) < 0.003, 0.1, 0)
    np.fill_diagonal(off, rng.lognormal(-1.3, 0.5, n))
    if arm.init == "diagonal-only":
        off = np.diag(np.diag(off))
    if arm.init.startswith("off-diagonal"):
        np.fill_diagonal(off, 0)
    if arm.init == "constant-diagonal":
        np.fill_diagonal(off, np.diag(off).mean())
    return off.astype(np.float32)
