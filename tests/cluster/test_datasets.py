"""A SynthDataset on a cluster: it waits for its sweep, is published, grows by versions, and goes with its outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.commands import CommandError
from harness.operator_chart import OPERATOR_NAMESPACE
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket
from waiting import wait_until

from synth_api.resources.base import API_VERSION
from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.sweep_namespace import SweepNamespace

NAME: Final = "sem"
OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2)"]
SPEC: Final[dict[str, Any]] = {
    "version": "1",
    "sources": [{"sweepRef": {"name": "spheres"}}],
    "exports": [{"format": "coco"}, {"format": "webdataset"}],
    "card": {"title": "Spheres", "licence": "CC-BY-4.0"},
    "parallelism": 2,
    "deletionPolicy": "Delete",
}


def apply_dataset(namespace: SweepNamespace, **changes: Any) -> None:
    document = {"apiVersion": API_VERSION, "kind": "SynthDataset", "metadata": {"name": NAME}, "spec": SPEC | changes}
    namespace.apply(document)


def read_status(namespace: SweepNamespace) -> DatasetStatus:
    body = namespace.cluster.get_object("synthdataset", NAME, namespace.name)
    return DatasetStatus.model_validate(body.get("status", {}))


def wait_for(
    namespace: SweepNamespace, condition: Callable[[DatasetStatus], object], seconds: float = 180.0
) -> DatasetStatus:
    """Wait until the status meets a condition; a failure shows the dataset, its objects and the operator's log."""

    def describe() -> str:
        parts = [
            (namespace.name, "get", "synthdataset", NAME, "-o", "yaml"),
            (namespace.name, "get", "synthsweeps,jobs,pods,events"),
            (OPERATOR_NAMESPACE, "logs", "deployment/synth-operator", "--tail=30"),
        ]
        return "\n".join(namespace.cluster.kubectl("--namespace", *part) for part in parts)

    wait_until(lambda: condition(read_status(namespace)), describe, seconds)
    return read_status(namespace)


def read_json(namespace: SweepNamespace, path: str) -> Any:
    return json.loads(open_bucket(namespace).read(f"datasets/{namespace.name}/{NAME}/{path}"))


def test_a_dataset_is_published_versioned_and_deleted(namespace: SweepNamespace) -> None:
    apply_dataset(namespace)
    status = wait_for(namespace, lambda status: status.phase is DatasetPhase.WAITING)
    assert find_ready_message(status) == "There is no SynthSweep 'spheres' in this namespace; apply one."

    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("spheres", "spheres-sem", overrides=OVERRIDES)
    assert namespace.wait_for_end("spheres").phase is Phase.COMPLETE
    status = wait_for(namespace, lambda status: status.version == "1")
    assert (status.phase, status.runs, status.split_runs) == (DatasetPhase.PUBLISHED, 2, "train 2")
    place = f"s3://datasets/{namespace.name}/datasets/{namespace.name}/{NAME}/1"
    document = read_json(namespace, "1/dataset.json")
    assert document["root"] == status.root
    folders = [export["folder"] for export in document["exports"]]
    assert [export.address for export in status.exports] == [f"{place}/{folder}" for folder in folders]
    assert read_json(namespace, "dataset.json")["version"] == "1"
    annotations = read_json(namespace, f"1/{folders[0]}/annotations/instances_train.json")
    name = annotations["images"][0]["file_name"].rpartition("/")[2]
    pictures = f"datasets/{namespace.name}/{NAME}/1/{folders[0]}/images/train"
    picture = open_bucket(namespace).read(f"{pictures}/{name}")
    assert picture.startswith(b"\x89PNG")
    head, row = namespace.kubectl("get", "sd", NAME).splitlines()
    assert head.split() == ["NAME", "PHASE", "VERSION", "RUNS", "SPLITS", "EXPORTS", "READY", "AGE"]
    assert row.split()[:-1] == [NAME, "Published", "1", "2", "train", "2", "coco,webdataset", "True"]
    wait_until(lambda: not list_children(namespace), lambda: f"left behind: {list_children(namespace)}")

    with pytest.raises(CommandError, match="a published version stays as it is: its sources, split, exports and card"):
        apply_dataset(namespace, exports=[{"format": "coco"}])

    apply_dataset(namespace, version="2", exports=[{"format": "coco"}], split={"train": 0.5, "test": 0.5})
    status = wait_for(namespace, lambda status: status.version == "2")
    assert (sum(split.runs for split in status.splits), status.formats) == (2, "coco")
    assert read_json(namespace, "dataset.json")["version"] == "2"
    assert read_json(namespace, "1/dataset.json")["version"] == "1"

    # What CEL does not see: the version goes back, with the definition of the other one.
    apply_dataset(namespace, version="1", exports=[{"format": "coco"}], split={"train": 0.5, "test": 0.5})
    status = wait_for(namespace, lambda status: status.phase is DatasetPhase.FAILED)
    message = find_ready_message(status)
    assert message.startswith("spec.version: '1' is published and stays as it is, but exports was "), message

    namespace.kubectl("delete", "synthdataset", NAME, "--timeout=300s")
    assert not list(open_bucket(namespace).iterate_files(f"datasets/{namespace.name}"))
    assert list(open_bucket(namespace).iterate_keys()), "the runs are those of the sweep"


def test_a_wrong_name_in_a_filter_is_a_condition_before_the_sweep_has_rendered(namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("spheres", "spheres-sem", overrides=OVERRIDES, suspend=True)
    apply_dataset(namespace, sources=[{"sweepRef": {"name": "spheres"}, "where": "sead = 1"}])
    status = wait_for(namespace, lambda status: status.phase is DatasetPhase.FAILED)
    assert find_ready_message(status) == (
        "The dataset is invalid: spec.sources[0].where: there is no axis or column 'sead'; did you mean 'seed'?"
    )
    assert not list_children(namespace)
    apply_dataset(namespace, sources=[{"sweepRef": {"name": "spheres"}, "where": "seed = 1"}])
    status = wait_for(namespace, lambda status: status.phase is DatasetPhase.WAITING)
    assert find_ready_message(status) == "The sweep 'spheres' is not complete yet."


def list_children(namespace: SweepNamespace) -> list[str]:
    """Return the names of the dataset's Jobs, pods and ConfigMaps."""
    selector = f"--selector=synth-operator.io/dataset={NAME}"
    return namespace.kubectl("get", "jobs,pods,configmaps", selector, "--output=name").split()
