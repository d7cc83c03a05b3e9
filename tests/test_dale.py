"""Arms by Dale's rule: every neuron's outgoing weights keep the sign of its cell class."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from biosernn import BadInput, Cohort, Study, run, synthetic_cohort
from biosernn.protocol import CORRECTED
from biosernn.run import Finished, rerun_study
from biosernn.study.arms import ARMS, Arm
from biosernn.study.cell_class import EXCITATORY, INHIBITORY, cell_signs
from biosernn.study.compare import Differences
from biosernn.study.plan import plan, resolve, study_hash
from biosernn.study.sample import Sample

NAMES = {"23P": 1, "BC": 2, "oligo": 3, "MC": 4, "6P-CT": 5}
SIGNS = {0: 0, 1: 1, 2: -1, 3: 0, 4: -1, 5: 1}
STUDY = """[study]
cohort = "typed.h5"
arms = ["WD*C", { name = "Dale", init = "orthogonal", sign = "dale" }]
units = 12
seeds = 2
epochs = 1
recipe = "seed"
"""


def typed(names: object = NAMES, types: np.ndarray | None = None) -> Cohort:
    cohort = synthetic_cohort(16, 0)
    column = np.arange(16) % 6 if types is None else types
    return replace(
        cohort,
        neurons=cohort.neurons | {"cell_type": column},
        provenance=cohort.provenance | {"cell_types": names},
    )


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dale")
    typed().write(folder / "typed.h5")
    text = STUDY.replace("typed.h5", str(folder / "typed.h5"))
    (folder / "study.toml").write_text(text)
    return folder / "study.toml"


@pytest.fixture(scope="module")
def finished(study_file: Path) -> Finished:
    return run(study_file, study_file.parent / "out", workers=0)


def test_no_type_is_of_both_classes() -> None:
    assert not EXCITATORY & INHIBITORY


def test_signs_follow_the_names_of_the_types() -> None:
    assert cell_signs(typed()).tolist() == [SIGNS[k % 6] for k in range(16)]


@pytest.mark.parametrize("name", ["W*D*C", "WD*C", "rotated", "shuffled", "wiring"])
def test_initial_weights_keep_their_size_and_take_the_neuron_s_sign(name: str) -> None:
    drawn = Sample(typed(), 12, 3, CORRECTED)
    arm = ARMS[name]
    free = drawn.initial(arm)
    signed = drawn.initial(replace(arm, name="Dale", sign="dale"))
    for i, neuron in enumerate(drawn.indices):
        sign = -1 if SIGNS[neuron % 6] == -1 else 1
        for j in range(12):
            assert signed[i, j] == sign * abs(free[i, j])
    row_sign = drawn.row_sign(Arm("Dale", sign="dale"))
    assert set(row_sign) == {-1, 1}
    np.testing.assert_array_equal(np.where(signed.sum(axis=1) < 0, -1, 1), row_sign)


def test_other_signs_are_held_as_before() -> None:
    drawn = Sample(typed(), 12, 0, CORRECTED)
    assert drawn.row_sign(ARMS["W*D*C"]) is None
    assert drawn.row_sign(Arm("n", sign="nonnegative")).tolist() == [1] * 12


def test_every_weight_keeps_its_sign_through_training(finished: Finished) -> None:
    crossed = {"Dale": 0, "WD*C": 0}
    stopped = 0
    for row in finished.results.itertuples():
        indices = Sample(typed(), 12, row.seed, CORRECTED).indices
        sign = np.where([SIGNS[k % 6] == -1 for k in indices], -1, 1)
        with np.load(finished.folder / "runs" / f"{row.run}.npz") as file:
            start, end = file["weights_recurrent"]
        if row.arm == "Dale":
            assert (sign[:, None] * start >= 0).all()
            assert (sign[:, None] * end >= 0).all()
            assert not np.array_equal(start, end)
            stopped += int((end == 0).sum())
        crossed[row.arm] += int((np.sign(start) * np.sign(end) < 0).sum())
    assert crossed["Dale"] == 0
    assert crossed["WD*C"] > 0
    assert stopped > 0


def test_the_report_s_notes_count_the_classes(finished: Finished) -> None:
    signs = [SIGNS[k % 6] for k in range(16)]
    note = (
        f"by Dale's rule {signs.count(-1)} of {finished.results['cohort'][0]}'s 16 neurons are "
        f"inhibitory and {signs.count(1)} excitatory; {signs.count(0)} of no known class"
    )
    notes = json.loads((finished.folder / "provenance.json").read_text())["notes"]
    assert any(found.startswith(note) for found in notes)


@pytest.mark.slow
def test_it_goes_on_and_reruns_with_the_same_bits(
    study_file: Path, finished: Finished, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "s")
    lost = finished.results.loc[finished.results["arm"] == "Dale", "run"].iloc[-1]
    (tmp_path / "s" / "runs" / f"{lost}.npz").unlink()
    for name in ("results", "curves"):
        (tmp_path / "s" / f"{name}.parquet").unlink()
    run(study_file, tmp_path / "s", workers=0)
    for name in ("results", "curves"):
        a, b = (pd.read_parquet(f / f"{name}.parquet") for f in (finished.folder, tmp_path / "s"))
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert rerun_study(finished.folder, tmp_path / "r", workers=0)[1] == Differences((), ())


def test_ids_hang_on_the_classes_of_arms_that_keep_the_rule(study_file: Path) -> None:
    one, other = typed(), typed(NAMES | {"BC": 1, "23P": 2})
    same_classes = typed(NAMES | {"BC": 4, "MC": 2, "23P": 3, "oligo": 1})
    study = Study.read(study_file)

    def ids(cohort: Cohort) -> dict[tuple[str, int], str]:
        planned = plan(resolve(study, [cohort]), [cohort])
        return {(r.arm.name, r.seed): r.id for r in planned}

    assert ids(one) == ids(same_classes)
    assert study_hash(study, [one]) == study_hash(study, [same_classes])
    assert study_hash(study, [one]) != study_hash(study, [other])
    differ = {key for key in ids(one) if ids(one)[key] != ids(other)[key]}
    assert differ == {("Dale", 0), ("Dale", 1)}
    free = study.with_options(arms=["WD*C"])
    assert study_hash(free, [one]) == study_hash(free, [other])


@pytest.mark.parametrize(
    "cohort",
    [
        synthetic_cohort(16, 0),
        replace(synthetic_cohort(16, 0), neurons=typed().neurons),
        typed(types=np.zeros(16, int)),
        typed({"oligo": 1, "astrocyte": 2}),
        typed(["23P", "BC"]),
        typed({"23P": "one", "BC": [2]}),
        typed({}),
    ],
    ids=["no types", "no names", "none known", "no neurons", "a list", "no numbers", "empty"],
)
def test_a_cohort_without_cell_classes_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    cohort.write(tmp_path / "c.h5")
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("typed.h5", str(tmp_path / "c.h5")))
    with pytest.raises(BadInput) as refused:
        run(path, tmp_path / "out", workers=0)
    line = "cohort synthetic:16: has no cell classes, which arm Dale needs; leave the arm out"
    assert str(refused.value).startswith(line)
    assert not (tmp_path / "out").exists()


def test_a_wrong_word_names_the_three() -> None:
    with pytest.raises(BadInput, match="use one of free, nonnegative, dale"):
        Arm("a", sign="Dale")
