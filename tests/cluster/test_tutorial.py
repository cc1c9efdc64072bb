"""The tutorial's sweep with few beads in small pictures, from apply to dataset.

`make test` cuts its 15 seeds to 5; `make soak` renders all 180 runs.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from servers import ROOT
from spheres import FILE, GRAVITY, NUMBER, PERCENTAGE, SEED, open_bucket, read_label_digests, read_manifests

from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from pathlib import Path

    from harness.sweep_namespace import SweepNamespace

    from synth_api.resources.synth_sweep import SweepStatus

NAME = "spheres-sem-180"
SHIPPED = ROOT / "recipes" / "kubernetes"
FEW = [1, 2, 3, 4, 5, 6]


def shipped_recipe() -> dict[str, Any]:
    return dict(yaml.safe_load((SHIPPED / "spheres-sem.yaml").read_text(encoding="utf-8")))


def shipped_sweep(namespace: SweepNamespace, seeds: int) -> dict[str, Any]:
    """Return the shipped sweep with few beads, small pictures and small pods, in six batches."""
    sweep = dict(yaml.safe_load((SHIPPED / f"{NAME}.yaml").read_text(encoding="utf-8")))
    number, seed, gravity = sweep["spec"]["axes"]
    small = {"path": PERCENTAGE, "values": [10]}
    sweep["spec"] |= {
        "axes": [{**number, "values": FEW}, {**seed, "range": {"stop": seeds}}, gravity, small],
        **namespace.small_spec,
        "parallelism": 2,
        "batchSize": 2 * seeds,
    }
    return sweep


def change_axes(sweep: dict[str, Any], name: str, **values: dict[str, Any]) -> dict[str, Any]:
    """Return the sweep under another name with other values of the axes `number`, `seed` and `gravity`."""
    paths = {"number": NUMBER, "seed": SEED, "gravity": GRAVITY}
    changed = {paths[word]: {"path": paths[word], **each} for word, each in values.items()}
    copy = deepcopy(sweep)
    copy["metadata"]["name"] = name
    copy["spec"]["axes"] = [changed.get(axis["path"], axis) for axis in sweep["spec"]["axes"]]
    return copy


def count_runs(status: SweepStatus) -> tuple[int, int, int, int]:
    """Return total, cached, succeeded and failed runs."""
    return status.runs.total, status.runs.cached, status.runs.succeeded, status.runs.failed


def count_dataset_runs(namespace: SweepNamespace, name: str) -> int:
    """Return the number of runs of the committed dataset."""
    dataset = find_dataset(open_bucket(namespace), namespace.name, name)
    assert dataset is not None
    return dataset.cached + dataset.succeeded


SEEDS = [5, pytest.param(15, marks=pytest.mark.soak)]


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SEEDS)
def test_labels_are_those_of_a_laptop_and_only_new_runs_are_rendered(
    namespace: SweepNamespace, tmp_path: Path, seeds: int
) -> None:
    total, more = 12 * seeds, 12 * (seeds + 2)
    sweep = shipped_sweep(namespace, seeds)
    namespace.apply(shipped_recipe(), sweep)
    arguments = [f"{PERCENTAGE}=10", f"{NUMBER}={','.join(map(str, FEW))}", f"{SEED}=range({seeds})"]
    namespace.wait_for_condition("Complete", NAME)
    assert count_runs(namespace.read_status(NAME)) == (total, 0, total, 0)
    assert count_dataset_runs(namespace, NAME) == total
    assert run(["render", str(FILE), *arguments, f"{GRAVITY}=-100,-10000", "--out", str(tmp_path)]) == 0
    assert read_label_digests(open_bucket(namespace)) == read_label_digests(FolderStore(tmp_path))

    namespace.apply(change_axes(sweep, NAME, seed={"range": {"stop": seeds + 2}}))
    assert count_runs(namespace.wait_for_end(NAME)) == (more, total, 24, 0)

    namespace.apply(change_axes(sweep, "overlapping", number={"values": [6, 7]}, seed={"values": [0, seeds + 1]}))
    assert count_runs(namespace.wait_for_end("overlapping")) == (8, 4, 4, 0)

    before = read_manifests(open_bucket(namespace))
    namespace.apply(change_axes(sweep, NAME, number={"values": FEW[:-1]}, seed={"range": {"stop": seeds + 2}}))
    fewer = 10 * (seeds + 2)
    assert count_runs(namespace.wait_for_end(NAME)) == (fewer, fewer, 0, 0)
    assert count_dataset_runs(namespace, NAME) == fewer
    assert read_manifests(open_bucket(namespace)) == before
    assert len(before) == more + 4


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SEEDS)
def test_three_impossible_points_are_named_and_only_they_are_retried(namespace: SweepNamespace, seeds: int) -> None:
    total = 12 * seeds
    sweep = change_axes(
        shipped_sweep(namespace, seeds),
        "impossible",
        number={"values": [*range(1, total // 3), 9000]},
        seed={"range": {"stop": 3}},
        gravity={"values": [-10000]},
    )
    namespace.apply(shipped_recipe(), sweep)

    status = namespace.wait_for_end("impossible")

    assert status.phase is Phase.FAILED  # at its first failure: the impossible points are all over the order of runs
    assert [failure.overrides[NUMBER] for failure in status.failures][:1] == [9000]

    sweep["spec"]["maxFailedRuns"] = 3
    namespace.apply(sweep)
    status = namespace.wait_for_end("impossible")
    assert (status.phase, status.runs.existing, status.runs.failed) == (Phase.COMPLETE, total - 3, 3)
    assert sorted((failure.overrides[NUMBER], failure.overrides[SEED]) for failure in status.failures) == [
        (9000, seed) for seed in range(3)
    ]
    assert {failure.reason for failure in status.failures} == {"PhysicsFailed"}
    assert count_dataset_runs(namespace, "impossible") == total - 3

    before = read_manifests(open_bucket(namespace))
    sweep["spec"]["retryToken"] = "again"
    namespace.apply(sweep)
    status = namespace.wait_for_end("impossible")
    assert (status.phase, count_runs(status)) == (Phase.COMPLETE, (total, total - 3, 0, 3))
    assert read_manifests(open_bucket(namespace)) == before


def test_one_run_at_full_size_has_the_labels_of_a_laptop(namespace: SweepNamespace, tmp_path: Path) -> None:
    namespace.apply(shipped_recipe())
    namespace.apply_sweep("full-size", "spheres-sem", overrides=[f"{NUMBER}=600"], resources={"requests": {"cpu": "1"}})

    assert namespace.wait_for_end("full-size").phase is Phase.COMPLETE

    assert run(["render", str(FILE), f"{NUMBER}=600", "--out", str(tmp_path)]) == 0
    (manifest,) = read_manifests(open_bucket(namespace)).values()
    assert (manifest.width, manifest.height, manifest.particles) == (960, 960, 600)
    assert read_label_digests(open_bucket(namespace)) == read_label_digests(FolderStore(tmp_path))
