"""The life of a SynthDataset: it waits for its sweeps, exports, publishes, and keeps what it has published."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from simulated_cluster.dataset import DATASET, SPEC, SimulatedDataset
from simulated_cluster.simulation import OUTPUT

from synth_api.jobs.names import DATASET_LABEL, INPUT_ANNOTATION, JOB_LABEL, SWEEP_LABEL
from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType, Problem
from synth_api.resources.namespace_limits import NamespaceLimits
from synth_api.resources.synth_dataset import DatasetPhase
from synth_operator.configuration import LimitsByNamespace
from synth_operator.kube.api import ApiError, Resource

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLISHED = "Published: Version '1' is published: 4 runs (train 2, val 2). Dataset: s3://bucket/datasets/lab/sem/1/"
OTHER_SOURCES = SPEC["sources"][:1]


def publish(**spec: Any) -> SimulatedDataset:
    cluster = SimulatedDataset(**spec)
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    return cluster


def test_a_dataset_of_complete_sweeps_is_exported_in_parts_and_published() -> None:
    cluster = SimulatedDataset()
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)

    status = cluster.dataset
    assert cluster.ready == f"{PUBLISHED}dataset.json"
    assert cluster.condition_types == {ConditionType.READY}
    assert (status.version, status.runs, status.split_runs) == ("1", 4, "train 2, val 2")
    assert [(export.format, export.address) for export in status.exports] == [
        ("coco", "s3://bucket/datasets/lab/sem/1/coco-12345678"),
        ("webdataset", "s3://bucket/datasets/lab/sem/1/webdataset-12345678"),
    ]
    assert (status.formats, status.root) == ("coco,webdataset", "ab" * 32)
    assert {part for _, part in cluster.store.exported} == {0, 1}
    assert not cluster.api.list_all(Resource.JOBS)
    assert not cluster.api.list_all(Resource.INPUTS)
    assert [event.split(":")[0] for event in cluster.events] == ["Exporting", "Publishing", "Published"]


def test_its_jobs_are_those_of_the_dataset_and_read_its_definition() -> None:
    cluster = SimulatedDataset()
    cluster.run_until_true(lambda: bool(cluster.api.list_all(Resource.JOBS)))

    (job,) = cluster.api.list_all(Resource.JOBS)
    (given,) = cluster.api.list_all(Resource.INPUTS)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    document = json.loads(given["data"]["dataset.json"])
    assert (job["spec"]["completionMode"], job["spec"]["completions"], job["spec"]["parallelism"]) == ("Indexed", 2, 2)
    assert container["command"] == ["python", "-m", "synth_dataset.jobs.export_part"]
    assert job["metadata"]["labels"][DATASET_LABEL] == DATASET
    assert SWEEP_LABEL not in job["metadata"]["labels"]
    assert (document["parts"], document["definition"]["version"]) == (2, "1")
    assert [dataset["name"] for dataset in document["datasets"]] == ["spheres", "broad"]


def test_a_dataset_has_at_most_the_pods_of_its_namespace() -> None:
    cluster = SimulatedDataset(parallelism=9)
    limits = LimitsByNamespace(default=NamespaceLimits(pods=3))
    cluster.rules = cluster.rules.model_copy(update={"limits": limits})
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    assert {part for _, part in cluster.store.exported} == {0, 1, 2}


def test_a_dataset_waits_for_its_sweeps_and_says_for_which() -> None:
    cluster = SimulatedDataset(sweeps=False)
    cluster.run_for(5)
    assert cluster.ready == "SourceNotFound: There is no SynthSweep 'spheres' in this namespace; apply one."
    assert cluster.condition_types == {ConditionType.RECONCILING}

    cluster.complete_sweep("spheres")
    cluster.set_sweep("broad", "Rendering")
    cluster.run_for(5)
    assert cluster.ready == "SourceNotComplete: The sweep 'broad' is not complete yet."

    cluster.set_sweep("broad", "Failed", message="Too many runs failed.")
    cluster.run_for(5)
    assert cluster.ready == "SourceNotComplete: The sweep 'broad' has failed: Too many runs failed."

    cluster.complete_sweep("broad")
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)


def test_an_edited_sweep_is_waited_for() -> None:
    cluster = SimulatedDataset()
    cluster.api.edit_spec(Resource.SWEEPS, "broad", parallelism=9)
    cluster.run_for(5)
    assert cluster.ready == "SourceNotComplete: The sweep 'broad' is not complete yet."
    assert not cluster.api.list_all(Resource.JOBS)


def test_a_sweep_that_renders_again_stops_the_export_and_its_new_dataset_is_exported() -> None:
    cluster = SimulatedDataset()
    cluster.run_until_true(lambda: bool(cluster.api.list_all(Resource.PODS)))

    cluster.set_sweep("broad", "Rendering")
    cluster.run_for(3)
    assert not cluster.api.list_all(Resource.JOBS)
    cluster.complete_sweep("broad", "c")
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)

    assert cluster.store.published["1"][1] == ("a" * 64, "c" * 64)


def test_a_sweep_that_is_deleted_after_the_export_does_not_stop_the_publication() -> None:
    cluster = SimulatedDataset()
    cluster.run_until_dataset_is(DatasetPhase.PUBLISHING)
    cluster.api.remove(Resource.SWEEPS, "broad")
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    assert cluster.ready == f"{PUBLISHED}dataset.json"


def test_a_version_whose_publish_pod_was_killed_after_its_last_write_is_published_also_without_its_sweeps() -> None:
    cluster = SimulatedDataset()
    cluster.store.kill_after_publication = True
    cluster.run_until_true(lambda: "1" in cluster.store.published)
    cluster.api.remove(Resource.SWEEPS, "broad")
    cluster.store.sources_exist = False
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    assert cluster.ready == f"{PUBLISHED}dataset.json"
    assert len(cluster.dataset.exports) == 2


def test_a_build_whose_sources_are_gone_before_its_publication_says_which_sweep_is_missing() -> None:
    cluster = SimulatedDataset()
    cluster.run_until_dataset_is(DatasetPhase.PUBLISHING)
    cluster.api.remove(Resource.SWEEPS, "broad")
    cluster.store.sources_exist = False
    cluster.run_until_dataset_is(DatasetPhase.WAITING)
    assert cluster.ready == (
        "StoreDamaged: The dataset of a sweep is missing. There is no SynthSweep 'broad' in this namespace; apply one."
    )
    cluster.store.sources_exist = True
    cluster.complete_sweep("broad", "c")
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    assert cluster.store.published["1"][1] == ("a" * 64, "c" * 64)


@pytest.mark.parametrize(
    "change",
    [
        {"sources": OTHER_SOURCES},
        {"split": {"train": 1}},
        {"exports": [{"format": "yolo"}]},
        {"card": {"title": "Other"}},
    ],
)
def test_a_published_version_stays_as_it_is(change: dict[str, Any]) -> None:
    cluster = publish()
    before = cluster.dataset

    cluster.edit_dataset(**change)
    cluster.run_until_dataset(DatasetPhase.FAILED)
    assert cluster.ready == (
        "VersionPublished: Version '1' is published and stays as it is, but its sources, split, exports or card have "
        "changed; set another spec.version, or take the change back."
    )
    assert cluster.condition_types == {ConditionType.STALLED}
    assert (cluster.dataset.root, cluster.dataset.exports) == (before.root, before.exports)

    cluster.edit_dataset(**{key: SPEC.get(key) for key in change})
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    assert sum(cluster.store.exported.values()) == 2, "nothing is exported again"


def test_another_version_is_built_beside_the_published_one() -> None:
    cluster = publish()
    cluster.edit_dataset(version="2", sources=OTHER_SOURCES)
    cluster.run_until_dataset(DatasetPhase.EXPORTING)
    assert cluster.dataset.version == "1", "the published one is named until the next is published"
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)

    assert (cluster.dataset.version, set(cluster.store.published)) == ("2", {"1", "2"})


def test_a_version_that_the_store_has_with_other_content_cannot_be_published() -> None:
    cluster = publish()
    cluster.edit_dataset(version="2", sources=OTHER_SOURCES)
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)

    cluster.edit_dataset(version="1")
    cluster.run_until_dataset(DatasetPhase.FAILED)
    assert cluster.ready == "VersionPublished: Version '1' is published already."
    cluster.run_for(7200)
    assert not cluster.api.list_all(Resource.JOBS)
    assert cluster.api.writes.count("delete jobs " + cluster.api.writes[-1].rpartition(" ")[2]) == 1, "not tried again"


def test_an_export_that_can_never_succeed_waits_for_an_edit() -> None:
    cluster = SimulatedDataset()
    cluster.store.refused_part = 1
    cluster.run_until_dataset(DatasetPhase.FAILED)
    assert cluster.ready == "DatasetInvalid: There is no axis or column 'nmber'."
    assert cluster.condition_types == {ConditionType.STALLED}

    cluster.store.refused_part = None
    cluster.run_for(7200)
    assert cluster.dataset.phase is DatasetPhase.FAILED
    cluster.edit_dataset(parallelism=2, sources=SPEC["sources"])
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)


def test_a_filter_that_does_not_fit_its_sweeps_is_a_condition_before_they_are_complete() -> None:
    cluster = SimulatedDataset(sweeps=False)
    cluster.set_sweep("spheres", "Rendering")
    cluster.set_sweep("broad", "Rendering")
    cluster.problem = Problem(reason=Reason.DATASET_INVALID, message="There is no axis or column 'nmber'.")
    cluster.run_until_dataset(DatasetPhase.FAILED)
    assert cluster.ready == "DatasetInvalid: There is no axis or column 'nmber'."
    assert cluster.condition_types == {ConditionType.STALLED}

    cluster.problem = None
    for name in ("spheres", "broad"):
        cluster.complete_sweep(name)
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    cluster.problem = Problem(reason=Reason.DATASET_INVALID, message="A sweep has other axes now.")
    cluster.edit_dataset(parallelism=3)
    cluster.run_for(5)
    assert cluster.dataset.phase is DatasetPhase.PUBLISHED, "a published version stays as it is"


def test_an_unreachable_store_is_waited_for() -> None:
    cluster = SimulatedDataset()
    cluster.store.up = False
    cluster.run_until_dataset(DatasetPhase.WAITING)
    assert cluster.ready == "StoreUnreachable: The store at store:9000 does not answer."
    cluster.store.up = True
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"split": {"train": 0.5}}, "DatasetInvalid: The dataset is invalid: split: the shares sum to 0.5"),
        (
            {"output": {**OUTPUT, "endpoint": "127.0.0.1:9000"}},
            "NotAllowed: spec.output.endpoint: '127.0.0.1:9000' is an address of the pod itself",
        ),
        (
            {"output": {**OUTPUT, "endpoint": "elsewhere:9000"}},
            "DatasetInvalid: The sweep 'spheres' lies in a store that is opened in another way than that of the",
        ),
    ],
)
def test_a_spec_that_cannot_work_is_one_sentence(spec: dict[str, Any], says: str) -> None:
    cluster = SimulatedDataset(**spec)
    cluster.run_for(5)
    assert cluster.ready.startswith(says)
    assert cluster.condition_types == {ConditionType.STALLED}
    assert not cluster.api.list_all(Resource.JOBS)


def test_sweeps_with_different_outputs_need_one_for_the_dataset() -> None:
    cluster = SimulatedDataset(sweeps=False)
    cluster.complete_sweep("spheres")
    cluster.complete_sweep("broad", output={**OUTPUT, "prefix": "other"})
    cluster.run_for(5)
    assert cluster.ready == (
        "OutputMissing: spec.output is missing, and the sweeps 'spheres' and 'broad' have different outputs; name the "
        "place of the dataset."
    )
    cluster.edit_dataset(output={**OUTPUT, "prefix": "joined"})
    cluster.run_until_dataset(DatasetPhase.PUBLISHED)
    assert cluster.dataset.dataset == "s3://bucket/joined/datasets/lab/sem/1/dataset.json"


# Deletion


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
@pytest.mark.parametrize("moment", [0, 3, 6, 60])
def test_a_deleted_dataset_leaves_no_object_and_its_versions_by_its_policy(policy: str, moment: int) -> None:
    cluster = SimulatedDataset(deletionPolicy=policy)
    cluster.run_for(moment)
    published = bool(cluster.store.published)
    cluster.delete_dataset()
    cluster.run_until_true(lambda: not cluster.dataset_exists)
    cluster.run_for(60)

    assert {job["metadata"]["labels"][JOB_LABEL] for job in cluster.api.list_all(Resource.JOBS)} <= {"delete"}
    assert not cluster.api.list_all(Resource.INPUTS)
    assert bool(cluster.store.published) == (published and policy == "Retain")


def test_the_delete_job_has_its_input_without_a_config_map() -> None:
    long = {f"{number:0100}": "" for number in range(1000)}
    exports = [{"format": name, "classMap": long} for name in ("coco", "yolo", "webdataset")]
    cluster = publish(deletionPolicy="Delete", exports=exports)
    cluster.delete_dataset()
    cluster.run_until_true(lambda: bool(cluster.api.list_all(Resource.JOBS)))

    (job,) = cluster.api.list_all(Resource.JOBS)
    content = job["spec"]["template"]["metadata"]["annotations"][INPUT_ANNOTATION]
    assert len(content) < 256 << 10, "the API server takes no longer annotations"
    document = json.loads(content)
    assert (document["name"], document["datasets"], document["output"]["bucket"]) == (DATASET, [], "bucket")
    assert "ownerReferences" not in job["metadata"]


def test_a_deletion_without_the_store_waits_and_names_the_force_annotation() -> None:
    cluster = publish(deletionPolicy="Delete")
    cluster.store.up = False
    cluster.delete_dataset()
    cluster.run_for(60)
    assert cluster.ready == (
        "StoreUnreachable: The store at store:9000 does not answer. To delete the dataset and leave its outputs, "
        "annotate it with synth-operator.io/force-delete=true."
    )
    body = cluster.api.objects[Resource.DATASETS, DATASET]
    body["metadata"]["annotations"] = {"synth-operator.io/force-delete": "true"}
    cluster.api.bump_version(body)
    cluster.run_until_true(lambda: not cluster.dataset_exists)
    assert cluster.store.published


def test_a_dataset_whose_spec_has_become_invalid_takes_its_versions_with_it_as_it_says() -> None:
    cluster = publish(deletionPolicy="Delete")
    cluster.edit_dataset(split={"train": 0.5})
    cluster.run_until_dataset(DatasetPhase.FAILED)
    cluster.delete_dataset()
    cluster.run_until_true(lambda: not cluster.dataset_exists)
    assert not cluster.store.published


def test_in_a_namespace_that_ends_the_versions_stay_and_an_event_says_where() -> None:
    cluster = publish(deletionPolicy="Delete")
    ends = ApiError(403, "Forbidden", "the namespace is being terminated", ("NamespaceTerminating",))
    cluster.api.refuse = lambda resource, _: ends if resource is Resource.JOBS else None
    cluster.delete_dataset()
    cluster.run_for(5)

    assert not cluster.dataset_exists
    assert cluster.events[-1].endswith("the outputs of its dataset 'sem' stay in s3://bucket, datasets/lab/sem.")


# Crashes and faults


def bump_version(cluster: SimulatedDataset) -> None:
    cluster.run_for(6)
    cluster.edit_dataset(version="2", sources=OTHER_SOURCES)
    cluster.run_until_true(lambda: cluster.dataset.version == "2" and cluster.is_idle())


def delete(cluster: SimulatedDataset) -> None:
    cluster.run_for(7)
    cluster.delete_dataset()
    cluster.run_until_true(lambda: not cluster.dataset_exists)
    cluster.run_for(30)


SCENARIOS: dict[str, Callable[[SimulatedDataset], None]] = {
    "published": lambda cluster: cluster.run_until_dataset(DatasetPhase.PUBLISHED),
    "another version": bump_version,
    "deleted": delete,
}


def describe(cluster: SimulatedDataset) -> Any:
    """Return the result that must not depend on crashes."""
    status = cluster.dataset.version if cluster.dataset_exists else None
    jobs = {job["metadata"]["labels"][JOB_LABEL] for job in cluster.api.list_all(Resource.JOBS)} - {"delete"}
    return status, "2" in cluster.store.published, jobs


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_write_changes_no_result(name: str) -> None:
    def run(cluster: SimulatedDataset) -> SimulatedDataset:
        SCENARIOS[name](cluster)
        return cluster

    undisturbed = run(SimulatedDataset(deletionPolicy="Delete"))
    for write in range(len(undisturbed.api.writes)):
        for when in ("before", "after"):
            cluster = SimulatedDataset(deletionPolicy="Delete")
            cluster.crash_at(write, when)
            run(cluster)

            assert cluster.restarts == 1, (write, when)
            assert describe(cluster) == describe(undisturbed), (write, when, undisturbed.api.writes[write])
            assert set(cluster.store.exported.values()) <= {1}, "a part is exported once"
            events, expected = (Counter(event.split(":")[0] for event in one.events) for one in (cluster, undisturbed))
            assert events <= expected, (write, when)


@pytest.mark.parametrize("number", range(8))
def test_a_dataset_is_published_despite_late_watches_and_deleted_objects(number: int) -> None:
    cluster = SimulatedDataset(lag=0.6, seed=number)
    for kind in (Resource.INPUTS, Resource.PODS, Resource.JOBS)[number % 3 :]:
        cluster.run_for(2 + number % 4)
        for body in cluster.api.list_all(kind):
            cluster.api.remove(kind, body["metadata"]["name"])
        cluster.restart()

    cluster.run_until_true(lambda: cluster.dataset.phase is DatasetPhase.PUBLISHED, seconds=20_000)
    assert set(cluster.store.published) == {"1"}
