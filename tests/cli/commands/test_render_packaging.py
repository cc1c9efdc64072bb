"""`synth render --packaging shards`: the runs of the sweep are in tar files, and every call goes on from there."""

from __future__ import annotations

import os
import shutil
import signal
import tarfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Command

SHARDS = "--packaging=shards"


def list_shards(synth: Command) -> list[Path]:
    return sorted(synth.store.glob("shards/*.tar"))


def list_plain(synth: Command) -> list[Path]:
    return sorted(synth.store.glob("manifests/*/*.json"))


def test_runs_are_packed_and_cached_for_either_packaging(synth: Command) -> None:
    assert synth.render(3, SHARDS)[0] == 0
    assert (len(list_shards(synth)), list_plain(synth)) == (1, [])
    assert (synth.dataset()["succeeded"], synth.dataset()["missing"]) == (3, 0)
    assert synth.render(3)[1].startswith("nothing to render: 3 runs cached")
    assert synth.render(4)[1].startswith("1 run rendered in ")
    assert (len(list_shards(synth)), len(list_plain(synth))) == (1, 1)
    assert (synth.dataset()["cached"], synth.dataset()["succeeded"]) == (3, 1)
    assert [synth.count_renders(seed) for seed in range(4)] == [1, 1, 1, 1]


def test_a_call_packs_the_runs_of_calls_before_without_rendering_one(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    root, created = synth.dataset()["root"], synth.dataset()["created"]
    assert synth.render(2, SHARDS)[1].startswith("nothing to render: 2 runs cached")
    assert (len(list_shards(synth)), list_plain(synth)) == (1, [])
    assert (synth.dataset()["root"], synth.dataset()["created"]) == (root, created)
    assert synth.render(3, SHARDS)[0] == 0
    assert (len(list_shards(synth)), list_plain(synth)) == (2, [])
    assert [synth.count_renders(seed) for seed in range(3)] == [1, 1, 1]


def test_plan_sees_packed_runs(synth: Command) -> None:
    assert synth.render(2, SHARDS)[0] == 0
    plan = synth.run("plan", "tiny.yaml", "initial_runtime_state.seed=range(5)", "--out=dataset")[1]
    assert [line.split()[-1] for line in plan.splitlines() if line.startswith(("done", "to do"))] == ["2", "3"]
    assert "measured on 2 runs" in plan


def test_a_killed_call_leaves_files_and_the_next_one_packs_them(synth: Command) -> None:
    synth.order(1, "hang")
    with synth.start(*synth.render_arguments(3, SHARDS, "--workers=1")) as process:
        while synth.count_renders(1) == 0:
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    assert (list_shards(synth), len(list_plain(synth))) == ([], 1)
    synth.order(1, "")
    assert synth.render(3, SHARDS)[0] == 0
    assert (len(list_shards(synth)), list_plain(synth)) == (1, [])
    assert synth.count_renders(0) == 1


def test_a_stopped_call_commits_files_and_the_next_one_packs_them(synth: Command) -> None:
    synth.order(1, "hang")
    with synth.start(*synth.render_arguments(3, SHARDS, "--workers=1")) as process:
        while synth.count_renders(1) == 0:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130
    assert (list_shards(synth), len(list_plain(synth))) == ([], 1)
    assert synth.dataset()["missing"] == 2
    synth.order(1, "")
    assert synth.render(3, SHARDS)[0] == 0
    assert (len(list_shards(synth)), list_plain(synth)) == (1, [])


def test_unpacked_shards_are_the_dataset_of_files(synth: Command) -> None:
    assert synth.render(2, SHARDS)[0] == 0
    (path,) = list_shards(synth)
    with tarfile.open(path) as tar:
        tar.extractall(synth.store, filter="data")
    shutil.rmtree(synth.store / "shards")
    assert synth.render(2)[1].startswith("nothing to render: 2 runs cached")


def test_a_lost_tar_file_is_named_and_its_runs_are_rendered_again(synth: Command) -> None:
    assert synth.render(2, SHARDS)[0] == 0
    (path,) = list_shards(synth)
    path.unlink()
    assert synth.render(2, SHARDS)[1].startswith("2 runs rendered in ")
    assert [synth.count_renders(seed) for seed in range(2)] == [2, 2]
    assert (len(list_shards(synth)), synth.dataset()["missing"]) == (1, 0)


def test_gc_packs_a_sparse_shard_again(synth: Command) -> None:
    assert synth.render(5, SHARDS)[0] == 0
    assert synth.render(1, "--replace")[0] == 0
    assert synth.render(1, "--replace", SHARDS)[0] == 0
    out = synth.run("gc", "dataset", "--older-than=0s", "--yes")[1]
    assert "sparse shards" in out
    (path,) = list_shards(synth)
    with tarfile.open(path) as tar:
        assert sum(name.startswith("manifests/") for name in tar.getnames()) == 1
    assert synth.render(1, "--replace")[1].startswith("nothing to render: 1 run cached")


def test_a_packaging_that_is_none_is_refused(synth: Command) -> None:
    code, _, error = synth.render(1, "--packaging=zip")
    assert code == 2
    assert "'zip' is not one of 'files', 'shards'" in error


@pytest.mark.parametrize("packaging", ["files", "shards"])
def test_a_manifest_has_the_packaging(synth: Command, packaging: str) -> None:
    seeds = "initial_runtime_state.seed=range(2)"
    out = synth.run("manifest", "tiny.yaml", seeds, f"--packaging={packaging}")[1]
    assert f"\n  packaging: {packaging}\n" in out
    assert "packaging" not in synth.run("manifest", "tiny.yaml", seeds)[1]
