"""A user's own task: arrays from a file, trained on as the package's tasks are."""

import io
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn import BadInput, Study, run, synthetic_cohort
from biosernn.run import Finished, plan_study, report_study, rerun_study
from biosernn.study.arms import ARMS
from biosernn.study.compare import Differences
from biosernn.study.estimate import operations
from biosernn.study.plan import plan, resolve, study_hash
from biosernn.study.presets import preset
from biosernn.tasks.arrays import read_task, task_from_arrays
from biosernn.tasks.go_no_go import go_no_go
from biosernn.tasks.maze import maze
from biosernn.tasks.perceptual import perceptual
from biosernn.training.silencing import silencing_cost
from made_up import Calls
from mutations import cuts, flips, other_files


def arrays(n: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, 7, 3))
    inputs[:, -1] = inputs[::2, -1].repeat(2, axis=0)
    return {"inputs": inputs, "labels": np.arange(n) % 3}


SMALL = """[study]
cohort = "synthetic:16"
tasks = ["maze", "mine.npz"]
arms = ["W0"]
units = 8
seeds = { maze = 2, mine = 3 }
epochs = 1
recipe = "seed"
"""


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    np.savez(folder / "mine.npz", **arrays(), mask=[1, 1, 1, 1, 0, 1])
    (folder / "study.toml").write_text(SMALL)
    return folder / "study.toml"


@pytest.fixture(scope="module")
def finished(study_file: Path) -> Finished:
    return run(study_file, study_file.parent / "out", workers=0)


def assert_same(one: Path, other: Path) -> None:
    for name in ("results", "curves"):
        a, b = (pd.read_parquet(folder / f"{name}.parquet") for folder in (one, other))
        pd.testing.assert_frame_equal(a, b, check_exact=True)


# What a task is made of


@pytest.mark.parametrize("make", [maze, go_no_go])
def test_the_package_s_tasks_as_arrays_have_their_memoryless_line(make: Callable) -> None:
    task = make()
    own = task_from_arrays("own", task.inputs, task.labels)
    assert (own.memoryless, own.ceiling, own.n_outputs) == (
        task.memoryless,
        task.ceiling,
        task.n_outputs,
    )
    assert own.content_sha256 == task.content_sha256


def majority(seen: list[tuple], labels: list[int]) -> float:
    given: dict[tuple, list[int]] = {}
    for row, label in zip(seen, labels, strict=True):
        given.setdefault(row, []).append(label)
    return sum(Counter(some).most_common(1)[0][1] for some in given.values()) / len(labels)


@given(st.data())
def test_what_is_within_reach_is_the_obvious_count(data: st.DataObject) -> None:
    n, steps = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 3))
    size = n * steps * 2
    values = data.draw(st.lists(st.sampled_from([0.0, -0.0, 1.0]), min_size=size, max_size=size))
    inputs = np.array(values).reshape(n, steps, 2)
    labels = [0, 1, *data.draw(st.lists(st.integers(0, 3), min_size=n - 2, max_size=n - 2))]
    task = task_from_arrays("any", inputs, labels)
    assert task.memoryless == majority([tuple(trial[-1] + 0.0) for trial in inputs], labels)
    assert task.ceiling == majority([tuple(trial.ravel() + 0.0) for trial in inputs], labels)
    assert 0 < task.memoryless <= task.ceiling <= 1


def test_a_mask_says_which_trials_count() -> None:
    made = arrays()
    assert task_from_arrays("a", **made, mask=[1] * 6).decidable is None
    masked = task_from_arrays("a", **made, mask=np.arange(6) > 0)
    assert masked.decidable.tolist() == [False, *[True] * 5]
    perceived = perceptual()
    own = task_from_arrays("a", perceived.inputs, perceived.labels, perceived.decidable)
    np.testing.assert_array_equal(own.decidable, perceived.decidable)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a | {"inputs": a["inputs"] * np.where(np.arange(3) == 1, 2, 1)},
        lambda a: a | {"labels": a["labels"][::-1]},
        lambda a: a | {"mask": [1, 1, 1, 1, 1, 0]},
        lambda a: a | {"inputs": a["inputs"].reshape(6, 3, 7)},
        lambda a: {name: array[:5] for name, array in a.items()},
    ],
)
def test_the_content_hash_hangs_on_every_array_and_not_on_the_name(change: Callable) -> None:
    task = task_from_arrays("a", **arrays())
    assert task.content_sha256 == task_from_arrays("b", **arrays()).content_sha256
    assert task.content_sha256 != task_from_arrays("a", **change(arrays())).content_sha256


def test_any_numbers_and_any_order_in_memory_are_read_alike(tmp_path: Path) -> None:
    whole = {"inputs": np.arange(24).reshape(4, 3, 2), "labels": np.arange(4)}
    hashes = set()
    for dtype in ("<i8", ">i4", "<f8", ">f2", "<u2"):
        for order in "CF":
            inputs = np.array(whole["inputs"], dtype, order=order)
            save = np.savez if order == "C" else np.savez_compressed
            save(tmp_path / "t.npz", inputs=inputs, labels=whole["labels"].astype("uint8"))
            hashes.add(read_task(tmp_path / "t.npz").content_sha256)
    assert hashes == {task_from_arrays("t", **whole).content_sha256}


# Bad input


def with_(**changed: Any) -> dict[str, Any]:
    return arrays() | changed


WRONG = {
    "one trial": (with_(inputs=np.zeros((1, 7, 3)), labels=[0]), "inputs: are 1 trials"),
    "no step": (with_(inputs=np.zeros((6, 0, 3))), "inputs: are 6 trials of 0 steps"),
    "no channel": (with_(inputs=np.zeros((6, 7, 0))), "inputs: are 6 trials of 7 steps and 0"),
    "two axes": (with_(inputs=np.zeros((6, 7))), "inputs: has shape (6, 7); give (trials, steps"),
    "many trials": (
        with_(inputs=np.zeros((10_001, 1, 1)), labels=np.zeros(10_001, int)),
        "inputs: are 10,001 trials",
    ),
    "many steps": (with_(inputs=np.zeros((6, 40_000, 1))), "inputs: are 240,000 steps in all"),
    "many numbers": (with_(inputs=np.zeros((6, 10, 200_000), "i1")), "12,000,000 numbers"),
    "nan": (with_(inputs=np.where(arrays()["inputs"] > 1, np.nan, 0)), "is no finite number"),
    "beyond float32": (with_(inputs=np.full((6, 7, 3), 1e39)), "inputs[0, 0, 0]: is no finite"),
    "texts": (with_(inputs=np.full((6, 7, 3), "a")), "inputs: holds <U1"),
    "complex": (with_(inputs=np.zeros((6, 7, 3), complex)), "inputs: holds complex128"),
    "labels too few": (with_(labels=np.arange(5)), "labels: are 5 and the trials 6"),
    "labels of two axes": (with_(labels=np.zeros((6, 1), int)), "labels: has shape (6, 1)"),
    "labels with a fraction": (with_(labels=np.zeros(6)), "labels: holds float64"),
    "a label below 0": (with_(labels=[0, 1, -1, 0, 1, 0]), "labels[2]: is -1"),
    "a large label": (with_(labels=[0, 1, 2, 1000, 0, 0]), "labels[3]: is 1000"),
    "one answer": (with_(labels=np.ones(6, int)), "labels: are all the same"),
    "mask too long": (with_(mask=np.ones(7, bool)), "mask: are 7 and the trials 6"),
    "mask of 2": (with_(mask=[2, 1, 1, 1, 1, 1]), "mask: holds more than 0 and 1"),
    "mask of floats": (with_(mask=np.ones(6)), "mask: holds float64"),
    "mask of nothing": (with_(mask=np.zeros(6, bool)), "mask: is false everywhere"),
    "another array": (with_(weights=np.ones(3)), "holds 'weights.npy'"),
    "no labels": ({"inputs": arrays()["inputs"]}, "holds no labels"),
    "no inputs": ({"labels": arrays()["labels"]}, "holds no inputs"),
}


@pytest.mark.parametrize("case", WRONG)
def test_arrays_that_are_no_task_are_refused(case: str, tmp_path: Path) -> None:
    given, what = WRONG[case]
    np.savez(tmp_path / "mine.npz", **given)
    (tmp_path / "study.toml").write_text(SMALL)
    with pytest.raises(BadInput) as refused:
        Study.read(tmp_path / "study.toml")
    line = str(refused.value)
    assert line.startswith(f"{tmp_path}/study.toml: {tmp_path}/mine.npz: ")
    assert what in line
    assert "; " in line
    assert "\n" not in line


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    dangerous = np.array([Calls(os.mkdir, str(tmp_path / "called"))] * 6, object)
    np.savez(tmp_path / "t.npz", inputs=arrays()["inputs"], labels=dangerous)
    with pytest.raises(BadInput, match=r"t\.npz: labels: .* holds object, no numbers"):
        read_task(tmp_path / "t.npz")
    assert not (tmp_path / "called").exists()


def npy_of(shape: str, payload: bytes) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + payload


@pytest.mark.parametrize(
    ("member", "what"),
    [
        (npy_of("(1000000, 1000000, 3)", bytes(24)), "is longer or shorter than its shape"),
        (npy_of("(2, 1, 1)", bytes(24)), "is longer or shorter than its shape"),
        (npy_of("(-2, 1, 1)", bytes(16)), "is longer or shorter than its shape"),
        (npy_of("__import__('os')", b""), "inputs: cannot be read"),
        (bytes(2 * 10**8), "inputs: is larger than 100 MB"),
        (b"", "inputs: cannot be read"),
    ],
)
def test_an_archive_that_claims_what_it_does_not_hold_is_refused(
    member: bytes, what: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inputs.npy", member)
    with pytest.raises(BadInput) as refused:
        read_task(tmp_path / "t.npz")
    assert what in str(refused.value)


def test_a_damaged_file_is_refused_or_is_the_same_task(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez(stream, **arrays())
    content, rng = stream.getvalue(), np.random.default_rng(0)
    whole, refused = task_from_arrays("t", **arrays()).content_sha256, 0
    for what, damaged in (*cuts(content, rng), *flips(content, rng, 200), *other_files(content)):
        (tmp_path / "t.npz").write_bytes(damaged)
        told = ""
        try:
            assert read_task(tmp_path / "t.npz").content_sha256 == whole, what
        except BadInput as fault:
            told = str(fault)
            refused += 1
        assert not told or told.startswith(f"{tmp_path}/t.npz: "), what
        assert "\n" not in told
    assert refused > 100


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda p: p.symlink_to("/dev/zero")])
def test_what_is_no_file_is_no_task(make: Callable, tmp_path: Path) -> None:
    make(tmp_path / "t.npz")
    for path in (tmp_path / "t.npz", tmp_path / "absent.npz"):
        with pytest.raises(BadInput, match="is no file; name an"):
            read_task(path)


@pytest.mark.parametrize("name", ["maze", ".hidden", "a\nb", "x" * 81])
def test_a_name_that_cannot_be_a_task_s_is_refused(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / f"{name}.npz", **arrays())
    with pytest.raises(BadInput, match=r"is no name|is the name of another task"):
        read_task(tmp_path / f"{name}.npz")
    with pytest.raises(BadInput, match="is no name"):
        task_from_arrays("a/b", **arrays())


def test_a_name_that_two_tasks_share_is_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "mine.npz", **arrays())
    (tmp_path / "s.toml").write_text('[study]\ntasks = ["a/mine.npz", "b/mine.npz"]\n')
    with pytest.raises(BadInput, match="tasks: names the same twice"):
        Study.read(tmp_path / "s.toml")
    (tmp_path / "s.toml").write_text('[study]\ntasks = ["a/mine.npz"]\nseeds = {a = 3}\n')
    with pytest.raises(BadInput, match="seeds: do not name each task once"):
        Study.read(tmp_path / "s.toml")


# Plans


def test_run_ids_and_the_study_s_hash_hang_on_the_arrays() -> None:
    cohort = synthetic_cohort(16, 0)
    base = preset("quick").with_options(cohort="synthetic:16", arms=["W0"], seeds=2)

    def planned(name: str, **changed: Any) -> tuple[list[str], str]:
        own = task_from_arrays(name, **with_(**changed))
        study = resolve(base.with_options(tasks=[own]), [cohort])
        return [r.id for r in plan(study, [cohort])], study_hash(study, [cohort])

    one, renamed, other = planned("a"), planned("b"), planned("a", labels=[2, 1, 0, 2, 1, 0])
    assert one[0] == renamed[0]
    assert not {*one[0]} & {*other[0]}
    assert len({one[1], renamed[1], other[1]}) == 3


def test_a_study_in_python_takes_a_task_and_a_path(study_file: Path) -> None:
    path = str(study_file.parent / "mine.npz")
    task = read_task(path)
    for named in (task, path):
        study = Study("s", ["synthetic:16"], ["maze", named], [ARMS["W0"]], 2)
        assert study.tasks == ("maze", "mine")
        assert study.own_task("mine").content_sha256 == task.content_sha256
        assert study.own_task("maze") is None
    assert study.with_options(tasks="maze").own_tasks == ()
    assert study.with_options(tasks=["mine", "go_no_go"]).tasks == ("mine", "go_no_go")
    with pytest.raises(BadInput, match="tasks: 'mine' is unknown"):
        preset("quick").with_options(tasks="mine")


def test_a_task_that_its_file_could_not_hold_is_refused() -> None:
    own = task_from_arrays("mine", **arrays())
    for task, what in (
        (maze(delay_steps=5), "task 'maze': is the name of another task"),
        (replace(own, name="a/b"), "task 'a/b': is no name"),
        (replace(perceptual(), name="mine"), "task 'mine': has noise of its own"),
    ):
        with pytest.raises(BadInput, match=what):
            preset("quick").with_options(tasks=[task])
    other = replace(own, n_outputs=9, memoryless=0.1)
    [kept] = preset("quick").with_options(tasks=[other]).own_tasks
    assert (kept.n_outputs, kept.memoryless) == (own.n_outputs, own.memoryless)


def test_a_plan_reckons_with_the_task_s_size(study_file: Path, tmp_path: Path) -> None:
    planned = plan_study(study_file, tmp_path / "absent")
    assert len(planned.runs) == 5
    by_task = {r.task: operations(r) for r in planned.runs}
    assert by_task["mine"] < by_task["maze"] / 4


# Study folders


def test_a_study_trains_on_it_and_says_so(finished: Finished) -> None:
    results = finished.results
    assert results.groupby("task").size().to_dict() == {"maze": 2, "mine": 3}
    mine = results[results["task"] == "mine"]
    assert mine["accuracy_test"].between(0, 1).all()
    assert mine["accuracy_delay_5"].isna().all()
    for row in mine.itertuples():
        with np.load(finished.folder / "runs" / f"{row.run}.npz") as file:
            assert file["weights_input"].shape == (2, 3, 8)
        answered = row.accuracy_decidable == 1
        assert answered == row.solved
    provenance = json.loads((finished.folder / "provenance.json").read_text())
    [own] = provenance["own_tasks"]
    task = task_from_arrays("mine", **arrays(), mask=[1, 1, 1, 1, 0, 1])
    assert own["content_sha256"] == task.content_sha256
    assert own["memoryless"] == task.memoryless == 0.5
    assert any("task mine is the study's own" in note for note in provenance["notes"])


def test_its_figures_have_its_memoryless_line(finished: Finished) -> None:
    drawn = finished.report.read_text()
    ladders = [label for label in drawn.split("<figure>") if "What carries the gain?" in label]
    [caption] = [of for of in ladders if "synthetic:16, mine" in of]
    assert "Dashed: the best without memory, 0.5." in caption
    [curves] = [f for f in drawn.split("<figure>") if "Learning curves" in f and "mine" in f]
    assert "best without memory, 0.5<" in curves


@pytest.mark.slow
def test_the_folder_holds_the_arrays_and_goes_on_without_the_file(
    finished: Finished, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "elsewhere" / "s")
    folder = tmp_path / "elsewhere" / "s"
    for lost in finished.results["run"][-2:]:
        (folder / "runs" / f"{lost}.npz").unlink()
    assert len(report_study(folder).results) == 3
    stored = Study.read(folder / "study.toml")
    assert stored.tasks == ("maze", "mine")
    assert_same(finished.folder, run(stored, folder, workers=0).folder)


@pytest.mark.slow
def test_run_again_extended_and_rerun_it_is_the_same(
    study_file: Path, finished: Finished, tmp_path: Path
) -> None:
    runs = finished.folder / "runs"
    before = {path: path.stat().st_mtime_ns for path in runs.iterdir()}
    run(study_file, finished.folder, workers=0)
    assert {path: path.stat().st_mtime_ns for path in runs.iterdir()} == before
    again, differences = rerun_study(finished.folder, tmp_path / "again", workers=0)
    assert differences == Differences((), ())
    assert_same(finished.folder, again.folder)


def test_two_tasks_of_the_same_arrays_are_refused(study_file: Path) -> None:
    again = task_from_arrays("again", **arrays(), mask=[1, 1, 1, 1, 0, 1])
    study = Study.read(study_file)
    with pytest.raises(BadInput, match="tasks: mine and again hold the same; name one of them"):
        replace(study, tasks=(*study.tasks, again))


def test_other_arrays_of_the_same_name_are_another_study(
    study_file: Path, finished: Finished, tmp_path: Path
) -> None:
    shutil.copy(study_file, tmp_path / "study.toml")
    np.savez(tmp_path / "mine.npz", **arrays())
    with pytest.raises(BadInput, match=r"holds another study \(other tasks\)"):
        run(tmp_path / "study.toml", finished.folder, workers=0)


def test_a_folder_laid_out_by_half_is_laid_out_again(
    study_file: Path, finished: Finished, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "s")
    for path in (tmp_path / "s").iterdir():
        if path.suffix in (".toml", ".json", ".parquet", ".html"):
            path.unlink()
    (tmp_path / "s" / "tasks" / ".mine.npz.1f.tmp").write_bytes(b"half")
    assert_same(finished.folder, run(study_file, tmp_path / "s", workers=0).folder)
    assert os.listdir(tmp_path / "s" / "tasks") == ["mine.npz"]


def test_a_user_s_folder_called_tasks_is_no_study(study_file: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "mine.npz").write_text("mine")
    with pytest.raises(BadInput, match="holds 'tasks' and no study"):
        run(study_file, tmp_path, workers=0)
    assert (tmp_path / "tasks" / "mine.npz").read_text() == "mine"


def test_a_task_without_need_of_memory_has_no_range(tmp_path: Path) -> None:
    inputs = np.eye(3)[:, None, :]
    own = task_from_arrays("plain", inputs, [0, 1, 2])
    assert own.memoryless == own.ceiling == 1
    small = preset("quick").with_options(
        cohort="synthetic:16", units=8, arms=["W0"], seeds=2, epochs=1, recipe="seed", tasks=[own]
    )
    results = run(small, tmp_path / "s", workers=0).results
    assert results["accuracy_of_range"].isna().all()


def test_silencing_in_pieces_is_silencing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from biosernn.training.network import initial_weights

    rng, task = np.random.default_rng(0), maze()
    weights = initial_weights(0.9 * np.eye(8), 8, 4, rng, rng)
    inputs, silenced = task.inputs.transpose(1, 0, 2), rng.random((7, 8)) < 0.5
    whole = silencing_cost(weights, inputs, task.labels, silenced)
    for most in (1, 2 * 8 * 50):
        monkeypatch.setattr("biosernn.training.silencing.MOST_STEPS", most)
        pieces = silencing_cost(weights, inputs, task.labels, silenced)
        np.testing.assert_array_equal(pieces, whole)
