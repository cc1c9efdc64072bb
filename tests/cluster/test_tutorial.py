"""The tutorial's sweep of 180 runs, its shipped manifests with few beads in small pictures, from apply to dataset."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from servers import ROOT
from spheres import FILE, GRAVITY, NUMBER, PERCENTAGE, SEED, bucket, labels, manifests

from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.attempts.attempt import committed
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from pathlib import Path

    from harness.lab import Lab

    from synth_api.resources.synth_sweep import SweepStatus

NAME = "spheres-sem-180"
SHIPPED = ROOT / "recipes" / "kubernetes"
FEW = [1, 2, 3, 4, 5, 6]


def shipped_recipe() -> dict[str, Any]:
    return dict(yaml.safe_load((SHIPPED / "spheres-sem.yaml").read_text(encoding="utf-8")))


def shipped_sweep(lab: Lab) -> dict[str, Any]:
    """With few beads, small pictures, few small pods and the lab's output."""
    sweep = dict(yaml.safe_load((SHIPPED / f"{NAME}.yaml").read_text(encoding="utf-8")))
    number, *others = sweep["spec"]["axes"]
    small = {"path": PERCENTAGE, "values": [10]}
    sweep["spec"] |= {
        "axes": [{**number, "values": FEW}, *others, small],
        **lab.thrifty,
        "parallelism": 2,
        "batchSize": 30,
    }
    return sweep


def another(sweep: dict[str, Any], name: str, **values: dict[str, Any]) -> dict[str, Any]:
    """The same sweep under a name, axes with other values; keywords `number`, `seed`, `gravity`."""
    paths = {"number": NUMBER, "seed": SEED, "gravity": GRAVITY}
    changed = {paths[word]: {"path": paths[word], **each} for word, each in values.items()}
    copy = deepcopy(sweep)
    copy["metadata"]["name"] = name
    copy["spec"]["axes"] = [changed.get(axis["path"], axis) for axis in sweep["spec"]["axes"]]
    return copy


def counts(status: SweepStatus) -> tuple[int, int, int, int]:
    """Total, cached, succeeded, failed."""
    return status.runs.total, status.runs.cached, status.runs.succeeded, status.runs.failed


def rows(lab: Lab, name: str) -> int:
    """Runs of the committed dataset."""
    dataset = committed(bucket(lab), lab.namespace, name)
    assert dataset is not None
    return dataset.cached + dataset.succeeded


@pytest.mark.slow
def test_180_runs_have_the_labels_of_a_laptop_and_only_what_is_new_is_ever_rendered(lab: Lab, tmp_path: Path) -> None:
    sweep = shipped_sweep(lab)
    lab.apply(shipped_recipe(), sweep)
    arguments = [f"{PERCENTAGE}=10", f"{NUMBER}={','.join(map(str, FEW))}", f"{SEED}=range(15)"]
    lab.wait_for("Complete", NAME)
    assert counts(lab.status(NAME)) == (180, 0, 180, 0)
    assert rows(lab, NAME) == 180
    assert run(["render", str(FILE), *arguments, f"{GRAVITY}=-100,-10000", "--out", str(tmp_path)]) == 0
    first = labels(bucket(lab))
    assert first == labels(FolderStore(tmp_path))

    lab.apply(another(sweep, NAME, seed={"range": {"stop": 20}}))
    assert counts(lab.finished(NAME)) == (240, 180, 60, 0)

    lab.apply(another(sweep, "overlapping", number={"values": [6, 7]}, seed={"values": [0, 19]}))
    assert counts(lab.finished("overlapping")) == (8, 4, 4, 0)

    before = manifests(bucket(lab))
    lab.apply(another(sweep, NAME, number={"values": FEW[:-1]}))
    assert counts(lab.finished(NAME)) == (150, 150, 0, 0)
    assert rows(lab, NAME) == 150
    assert manifests(bucket(lab)) == before
    assert len(before) == 244


@pytest.mark.slow
def test_three_impossible_points_of_180_are_named_and_tried_again_alone(lab: Lab) -> None:
    sweep = another(
        shipped_sweep(lab),
        "impossible",
        number={"values": [*range(1, 60), 9000]},
        seed={"range": {"stop": 3}},
        gravity={"values": [-10000]},
    )
    lab.apply(shipped_recipe(), sweep)

    status = lab.finished("impossible")

    assert (status.phase, counts(status)) == (Phase.FAILED, (180, 0, 177, 3))
    assert [(failure.overrides[NUMBER], failure.overrides[SEED]) for failure in status.failures] == [
        (9000, seed) for seed in range(3)
    ]
    assert {failure.reason for failure in status.failures} == {"PhysicsFailed"}
    assert rows(lab, "impossible") == 177

    sweep["spec"]["maxFailedRuns"] = 3
    lab.apply(sweep)
    assert lab.finished("impossible").phase is Phase.COMPLETE

    before = manifests(bucket(lab))
    sweep["spec"]["retryToken"] = "again"
    lab.apply(sweep)
    status = lab.finished("impossible")
    assert (status.phase, counts(status)) == (Phase.COMPLETE, (180, 177, 0, 3))
    assert manifests(bucket(lab)) == before


def test_one_run_at_full_size_has_the_labels_of_a_laptop(lab: Lab, tmp_path: Path) -> None:
    lab.apply(shipped_recipe())
    lab.sweep("full-size", "spheres-sem", overrides=[f"{NUMBER}=600"], resources={"requests": {"cpu": "1"}})

    assert lab.finished("full-size").phase is Phase.COMPLETE

    assert run(["render", str(FILE), f"{NUMBER}=600", "--out", str(tmp_path)]) == 0
    (manifest,) = manifests(bucket(lab)).values()
    assert (manifest.width, manifest.height, manifest.particles) == (960, 960, 600)
    assert labels(bucket(lab)) == labels(FolderStore(tmp_path))
