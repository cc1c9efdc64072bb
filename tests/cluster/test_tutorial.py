"""The tutorial's sweep of 180 runs, its shipped manifests with few beads in small pictures, from apply to dataset."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from servers import ROOT
from spheres import FILE, GRAVITY, NUMBER, PERCENTAGE, SEED, open_bucket, read_label_digests, read_manifests

from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.attempts.attempt import committed
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


def shipped_sweep(namespace: SweepNamespace) -> dict[str, Any]:
    """With few beads, small pictures, few small pods and the lab's output."""
    sweep = dict(yaml.safe_load((SHIPPED / f"{NAME}.yaml").read_text(encoding="utf-8")))
    number, *others = sweep["spec"]["axes"]
    small = {"path": PERCENTAGE, "values": [10]}
    sweep["spec"] |= {
        "axes": [{**number, "values": FEW}, *others, small],
        **namespace.small_spec,
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


def rows(namespace: SweepNamespace, name: str) -> int:
    """Runs of the committed dataset."""
    dataset = committed(open_bucket(namespace), namespace.name, name)
    assert dataset is not None
    return dataset.cached + dataset.succeeded


@pytest.mark.slow
def test_180_runs_have_the_labels_of_a_laptop_and_only_what_is_new_is_ever_rendered(
    namespace: SweepNamespace, tmp_path: Path
) -> None:
    sweep = shipped_sweep(namespace)
    namespace.apply(shipped_recipe(), sweep)
    arguments = [f"{PERCENTAGE}=10", f"{NUMBER}={','.join(map(str, FEW))}", f"{SEED}=range(15)"]
    namespace.wait_for_condition("Complete", NAME)
    assert counts(namespace.read_status(NAME)) == (180, 0, 180, 0)
    assert rows(namespace, NAME) == 180
    assert run(["render", str(FILE), *arguments, f"{GRAVITY}=-100,-10000", "--out", str(tmp_path)]) == 0
    first = read_label_digests(open_bucket(namespace))
    assert first == read_label_digests(FolderStore(tmp_path))

    namespace.apply(another(sweep, NAME, seed={"range": {"stop": 20}}))
    assert counts(namespace.wait_for_end(NAME)) == (240, 180, 60, 0)

    namespace.apply(another(sweep, "overlapping", number={"values": [6, 7]}, seed={"values": [0, 19]}))
    assert counts(namespace.wait_for_end("overlapping")) == (8, 4, 4, 0)

    before = read_manifests(open_bucket(namespace))
    namespace.apply(another(sweep, NAME, number={"values": FEW[:-1]}))
    assert counts(namespace.wait_for_end(NAME)) == (150, 150, 0, 0)
    assert rows(namespace, NAME) == 150
    assert read_manifests(open_bucket(namespace)) == before
    assert len(before) == 244


@pytest.mark.slow
def test_three_impossible_points_of_180_are_named_and_tried_again_alone(namespace: SweepNamespace) -> None:
    sweep = another(
        shipped_sweep(namespace),
        "impossible",
        number={"values": [*range(1, 60), 9000]},
        seed={"range": {"stop": 3}},
        gravity={"values": [-10000]},
    )
    namespace.apply(shipped_recipe(), sweep)

    status = namespace.wait_for_end("impossible")

    assert (status.phase, counts(status)) == (Phase.FAILED, (180, 0, 177, 3))
    assert [(failure.overrides[NUMBER], failure.overrides[SEED]) for failure in status.failures] == [
        (9000, seed) for seed in range(3)
    ]
    assert {failure.reason for failure in status.failures} == {"PhysicsFailed"}
    assert rows(namespace, "impossible") == 177

    sweep["spec"]["maxFailedRuns"] = 3
    namespace.apply(sweep)
    assert namespace.wait_for_end("impossible").phase is Phase.COMPLETE

    before = read_manifests(open_bucket(namespace))
    sweep["spec"]["retryToken"] = "again"
    namespace.apply(sweep)
    status = namespace.wait_for_end("impossible")
    assert (status.phase, counts(status)) == (Phase.COMPLETE, (180, 177, 0, 3))
    assert read_manifests(open_bucket(namespace)) == before


def test_one_run_at_full_size_has_the_labels_of_a_laptop(namespace: SweepNamespace, tmp_path: Path) -> None:
    namespace.apply(shipped_recipe())
    namespace.apply_sweep("full-size", "spheres-sem", overrides=[f"{NUMBER}=600"], resources={"requests": {"cpu": "1"}})

    assert namespace.wait_for_end("full-size").phase is Phase.COMPLETE

    assert run(["render", str(FILE), f"{NUMBER}=600", "--out", str(tmp_path)]) == 0
    (manifest,) = read_manifests(open_bucket(namespace)).values()
    assert (manifest.width, manifest.height, manifest.particles) == (960, 960, 600)
    assert read_label_digests(open_bucket(namespace)) == read_label_digests(FolderStore(tmp_path))
