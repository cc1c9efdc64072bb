from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Command


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Read its progress until these words are there."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"ended without '{words}'")


def wait_for_engine(synth: Command, seed: int, process: subprocess.Popen[str]) -> None:
    """Wait until an engine is at this seed."""
    while synth.count_renders(seed) == 0:
        assert process.poll() is None


def test_a_second_call_renders_no_run_and_one_more_seed_only_the_new_run(synth: Command) -> None:
    code, out, _ = synth.render(3)
    assert code == 0
    assert out.startswith("3 runs rendered in ")
    code, out, _ = synth.render(3)
    assert code == 0
    assert out.startswith("nothing to render: 3 runs cached")
    code, out, _ = synth.render(4)
    assert code == 0
    assert out.startswith("1 run rendered in ")
    assert [synth.count_renders(seed) for seed in range(4)] == [1, 1, 1, 1]


def test_a_call_with_other_runs_is_refused_planned_joined_or_named(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    others = ("tiny.yaml", "initial_runtime_state.seed=5,6", "--out=dataset")
    engine = "--engine=trial_engine:render"
    code, out, error = synth.run("render", *others, engine)
    assert (code, out) == (2, "")
    assert error == (
        "error: tiny: the dataset of this name has 2 runs that this call does not have; --add joins them with this "
        "call's, --replace leaves them out, --name NAME makes another dataset\n"
    )
    assert synth.count_renders(5) == 0
    assert "dataset   has 2 runs that this sweep does not have;" in synth.run("plan", *others)[1]
    assert synth.run("render", *others, engine, "--name=other")[0] == 0
    assert (synth.store / "sweeps/local/other/dataset.json").exists()
    assert synth.run("render", *others, engine, "--add")[1].startswith("nothing to render: 2 runs cached")
    assert (synth.dataset()["total"], synth.dataset()["missing"]) == (4, 0)
    assert synth.run("gallery", "dataset", "--name=tiny")[0] == 0


def test_a_failed_run_of_a_joined_sweep_is_recorded_by_its_number_in_the_dataset(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    synth.order(6, "raise")
    added = ("render", "tiny.yaml", "initial_runtime_state.seed=5,6", "--out=dataset", "--engine=trial_engine:render")
    assert synth.run(*added, "--add")[0] == 1
    assert [(run["number"], run["overrides"]) for run in synth.dataset()["failures"]] == [
        (3, {"initial_runtime_state.seed": 6})
    ]


def test_a_users_size_of_the_drivers_cache_stays_and_the_default_is_large(
    synth: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = "[os.environ[f'{name}_CACHE_MAXSIZE'] for name in ('CUDA', 'OPTIX')]"
    engine = f"import os\n\ndef render(*_):\n    raise RuntimeError({sizes})\n"
    (synth.folder / "telling.py").write_text(engine)
    monkeypatch.setenv("CUDA_CACHE_MAXSIZE", "5")
    out = synth.run("render", "tiny.yaml", "--out=dataset", "--engine=telling:render")[1]
    assert "RuntimeError: ['5', '2147483648']" in out


@pytest.mark.parametrize("file", ["..yaml", "a:b.yaml"])
def test_a_file_with_an_invalid_stem_needs_a_name(synth: Command, file: str) -> None:
    synth.recipe.rename(synth.folder / file)
    before = sorted(synth.folder.rglob("*"))
    code, _, error = synth.run("render", file, "--out=dataset")
    assert (code, error.count("\n")) == (2, 1)
    assert error.endswith("; give one with --name\n")
    assert sorted(synth.folder.rglob("*")) == before
    assert synth.run("render", file, "--out=dataset", "--engine=trial_engine:render", "--name=tiny")[0] == 0


def test_temporary_files_of_workers_are_deleted(synth: Command) -> None:
    assert synth.render(1)[0] == 0
    assert list(synth.store.glob("scratch/*")) == []


def test_temporary_files_of_a_killed_command_are_garbage(synth: Command) -> None:
    synth.order(0, "hang")
    process = synth.start(*synth.render_arguments(1))
    wait_for_engine(synth, 0, process)
    process.kill()
    process.communicate()
    assert list(synth.store.glob("scratch/workers-*"))
    code, out, _ = synth.run("gc", "dataset", "--older-than=0s", "--yes")
    assert code == 0
    assert "scratch" in out
    assert list(synth.store.glob("scratch/*")) == []


def test_failed_runs_are_listed_and_recorded_and_tried_again_by_the_next_call(synth: Command) -> None:
    synth.order(1, "raise")
    code, out, error = synth.render(3)
    assert code == 1
    assert "run 1   seed=1" in out
    assert "EngineFailed: ValueError: two beads in one place" in out
    assert "run 1 failed: EngineFailed" in error
    dataset = synth.dataset()
    assert (dataset["succeeded"], dataset["failed"], dataset["missing"]) == (2, 1, 0)
    assert dataset["failures"] == [
        {
            "number": 1,
            "overrides": {"initial_runtime_state.seed": 1},
            "reason": "EngineFailed",
            "message": "ValueError: two beads in one place",
        }
    ]
    (synth.folder / "orders" / "1").unlink()
    assert synth.render(3)[0] == 0
    assert synth.dataset()["failures"] == []


def test_only_the_chosen_runs_are_rendered(synth: Command) -> None:
    code, out, _ = synth.render(6, "--only=0-1,4")
    assert code == 0
    assert out.startswith("3 runs rendered in ")
    assert [synth.count_renders(seed) for seed in range(6)] == [1, 1, 0, 0, 1, 0]
    assert synth.dataset()["missing"] == 3


@pytest.mark.parametrize("at", [0, 5])
def test_killed_at_a_run_and_called_again_it_finishes(synth: Command, at: int) -> None:
    synth.order(at, "hang")
    process = synth.start(*synth.render_arguments(6))
    wait_for_engine(synth, at, process)
    process.kill()
    process.communicate()
    assert not (synth.store / "sweeps/local/tiny/dataset.json").exists()
    (synth.folder / "orders" / str(at)).unlink()
    assert synth.render(6)[0] == 0
    assert [synth.count_renders(seed) for seed in range(6)] == [2 if seed == at else 1 for seed in range(6)]
    dataset = synth.dataset()
    assert (dataset["cached"] + dataset["succeeded"], dataset["missing"]) == (6, 0)


def test_workers_do_not_outlive_a_killed_command(synth: Command) -> None:
    synth.order(0, "hang")
    process = synth.start(*synth.render_arguments(2))
    wait_for_engine(synth, 0, process)
    worker = os.pidfd_open(int((synth.folder / "orders" / "0.log").read_text()))
    process.kill()
    process.communicate()
    assert select.select([worker], [], [], 10)[0]
    os.close(worker)
    assert synth.scratch() == []


@pytest.mark.parametrize(
    "order",
    ["hang", pytest.param("hang in native code", marks=pytest.mark.slow, id="in native code that holds the GIL")],
)
def test_workers_end_though_the_command_is_killed_and_its_dataset_folder_removed(synth: Command, order: str) -> None:
    synth.order(0, order)
    process = synth.start(*synth.render_arguments(1))
    while not (synth.folder / "orders" / "0.rendered").exists():
        assert process.poll() is None
    worker = os.pidfd_open(int((synth.folder / "orders" / "0.log").read_text()))
    shutil.rmtree(synth.store)
    process.kill()
    process.communicate()
    assert select.select([worker], [], [], 60)[0]
    os.close(worker)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_keeps_committed_runs_and_drops_runs_in_flight(
    synth: Command, number: signal.Signals, code: int
) -> None:
    synth.order(2, "hang")
    process = synth.start(*synth.render_arguments(4))
    wait_for_engine(synth, 2, process)
    process.send_signal(number)
    out, error = process.communicate()
    assert process.returncode == code
    assert ", 1 dropped" in out
    assert "stopped; the same call continues from here" in error
    assert synth.scratch() == []
    dataset = synth.dataset()
    assert (dataset["succeeded"], dataset["missing"]) == (2, 2)


def test_a_second_signal_ends_at_once_without_a_commit(synth: Command) -> None:
    synth.order(0, "hang")
    process = synth.start(*synth.render_arguments(2))
    wait_for_engine(synth, 0, process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130


def block_commit(synth: Command, seed: int) -> tuple[Path, str]:
    """Put a pipe in the place of a run's manifest: a commit waits there until somebody writes the text into it."""
    (pipe,) = synth.store.glob("manifests/*/*.json")
    text = pipe.read_text()
    assert json.loads(text)["seed"] == seed
    pipe.unlink()
    os.mkfifo(pipe)
    return pipe, text


def end_in_commit(process: subprocess.Popen[str], pipe: Path, text: str) -> tuple[str, str]:
    with pipe.open("w") as stream:  # opens when the commit does
        process.send_signal(signal.SIGINT)
        stream.write(text)
    return process.communicate()


def test_a_signal_while_the_dataset_is_written_says_what_remains(synth: Command) -> None:
    synth.order(1, "hang")
    process = synth.start(*synth.render_arguments(2, "--workers=1"))
    wait_for_engine(synth, 1, process)
    pipe, text = block_commit(synth, 0)
    process.send_signal(signal.SIGINT)
    out, error = end_in_commit(process, pipe, text)
    assert process.returncode == 130
    assert "1 run rendered" in out
    assert error.splitlines()[-1] == (
        "stopped while writing the dataset: every finished run is kept, no dataset was committed; the same call ends it"
    )
    assert not (synth.store / "sweeps/local/tiny/dataset.json").exists()
    assert synth.scratch() == []


def test_a_signal_while_the_gallery_is_written_keeps_the_dataset(synth: Command) -> None:
    assert synth.render(1)[0] == 0
    before, (pipe, text) = synth.dataset(), block_commit(synth, 0)
    process = synth.start("gallery", "dataset")
    out, error = end_in_commit(process, pipe, text)
    assert (process.returncode, out) == (130, "")
    assert error == (
        "stopped while writing the dataset: every finished run is kept, the dataset committed before stays; "
        "the same call ends it\n"
    )
    assert synth.dataset() == before


def test_a_worker_that_cannot_start_ends_with_75(synth: Command) -> None:
    code, _, error = synth.run("render", "tiny.yaml", "--out=dataset", "--engine=no_such_engine:render")
    assert code == 75
    assert "3 workers ended before they were ready" in error
    assert "No module named 'no_such_engine'" in error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tiny.yaml", "initial_runtime_state.seed=range(3)", "--only=3"], "--only: there is no run 3"),
        (["tiny.yaml", "initial_runtime_state.seed=1,2", "initial_runtime_state.seed=3,4"], "two axes for this key"),
    ],
)
def test_bad_input_is_one_sentence_with_exit_code_2_and_leaves_no_file(
    synth: Command, arguments: list[str], sentence: str
) -> None:
    before = sorted(synth.folder.rglob("*"))
    code, out, error = synth.run("render", *arguments, "--out=dataset")
    assert (code, out) == (2, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert sentence in error
    assert sorted(synth.folder.rglob("*")) == before


@pytest.mark.parametrize("out", ["tiny.yaml", "tiny.yaml/below"])
def test_plan_refuses_the_folder_that_render_refuses(synth: Command, out: str) -> None:
    rendered, planned = (synth.run(command, "tiny.yaml", f"--out={out}") for command in ("render", "plan"))
    assert planned == rendered
    assert planned[0] == 2


@pytest.mark.parametrize("out", ["tiny.yaml/below", "/proc/dataset"])
def test_a_folder_that_cannot_be_written_is_bad_input(synth: Command, out: str) -> None:
    before = sorted(synth.folder.rglob("*"))
    code, _, error = synth.run("render", "tiny.yaml", f"--out={out}")
    assert code == 2
    assert "the dataset folder cannot be written" in error
    assert "choose another with --out" in error
    assert sorted(synth.folder.rglob("*")) == before


@pytest.fixture
def small_disk(synth: Command) -> Iterator[None]:
    """The store on a file system of 400 kB."""
    synth.store.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", synth.store], check=False)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield
    subprocess.run(["umount", synth.store], check=True)


@pytest.mark.parametrize("order", ["fill", "blender is full"])
def test_on_a_full_disk_runs_fail_with_their_reason_and_the_others_stay(
    synth: Command, small_disk: None, order: str
) -> None:
    synth.order(1, order)
    code, out, _ = synth.render(3)
    assert code == 1
    assert "OutOfSpace: no space is left in the dataset folder" in out
    assert (synth.dataset()["succeeded"], synth.dataset()["failed"]) == (2, 1)


def test_on_a_disk_too_full_for_the_dataset_the_failed_runs_are_listed_all_the_same(
    synth: Command, small_disk: None
) -> None:
    synth.order(1, "fill for good")
    code, out, error = synth.render(3)
    assert code == 1
    assert out.startswith("1 run rendered in ")
    assert "OutOfSpace: no space is left in the dataset folder" in out
    assert "error: the dataset's documents could not be written: no space is left" in error
    (synth.store / "ballast").unlink()
    (synth.folder / "orders" / "1").unlink()
    assert synth.render(3)[0] == 0
    assert [synth.count_renders(seed) for seed in range(3)] == [1, 2, 2]


@pytest.mark.parametrize("order", ["fill", "raise"])
def test_of_a_sweep_without_a_run_nothing_stays_but_the_log(synth: Command, small_disk: None, order: str) -> None:
    synth.order(0, order)
    code, out, _ = synth.render(1)
    assert code == 1
    assert out.startswith("0 runs rendered in ")
    assert out.endswith("\nlog   dataset/worker.log\n")
    assert [path for path in synth.store.rglob("*") if path.is_file()] == [synth.store / "worker.log"]


def test_a_dataset_stays_if_all_runs_of_another_sweep_fail(synth: Command) -> None:
    assert synth.render(1)[0] == 0
    before = synth.dataset()
    synth.order(5, "raise")
    others = ("tiny.yaml", "initial_runtime_state.seed=5", "--out=dataset", "--replace")
    code, out, _ = synth.run("render", *others, "--engine=trial_engine:render")
    assert (code, synth.dataset()) == (1, before)
    assert "gallery" not in out
