"""The Jobs of a SynthDataset as their pods run them, on a real MinIO."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_api.jobs.dataset_input import DATASET_INPUT_FILE, DatasetInput
from synth_api.jobs.messages import DeleteMessage, ExportMessage, PublishMessage
from synth_api.resources.synth_dataset import DatasetDefinition, SourceDataset
from synth_dataset.attempts.dataset_source import find_source
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.s3_store import S3Store
from synth_dataset.versions.published_version import remove_leftovers, write_pointer
from synth_dataset.versions.version_build import prepare_version

SPEC: dict[str, Any] = {
    "version": "3",
    "sources": [{"sweepRef": {"name": "one"}}, {"sweepRef": {"name": "two"}, "where": "number > 0"}],
    "split": {"train": 0.5, "test": 0.5},
    "exports": [{"format": name} for name in ("coco", "yolo", "webdataset", "huggingface")],
}
VERSION = "datasets/local/discs/3"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr("synth_dataset.exports.chunks.MAX_CHUNK_RUNS", 2)
    monkeypatch.setattr("synth_dataset.exports.shards._measure_run", lambda _: (256 << 20) / 2)


@dataclass
class DatasetPods:
    """The pods of a SynthDataset."""

    pod: Any
    store: Any

    def give(self, **changes: Any) -> DatasetPods:
        """The pods of another definition, or with another number of parts."""
        return DatasetPods(replace(self.pod, given=self.pod.given.model_copy(update=changes)), self.store)

    def define(self, **changes: Any) -> DatasetPods:
        definition = DatasetDefinition.model_validate(SPEC | changes)
        sources = [describe(self.store, source.sweep_ref.name, self.pod.given.output) for source in definition.sources]
        return self.give(definition=definition, datasets=tuple(sources))

    def export(self, part: int):
        return self.pod.with_environment(JOB_COMPLETION_INDEX=str(part)).run("export_part")

    def publish(self):
        return self.pod.run("publish")

    def delete(self):
        return self.give(datasets=()).pod.run("delete")

    def tree(self, folder: str = "datasets") -> dict[str, bytes]:
        return {path: self.store.read(path) for path in self.store.iterate_files(folder)}


def describe(store, name: str, output) -> SourceDataset:
    attempt = find_source(store, name).attempt
    return SourceDataset(name=name, plan=attempt.plan, attempt=attempt.attempt, output=output)


def render_both(store) -> None:
    render_discs(store, DiscSweep(name="one", seeds=(0, 1, 2)))
    render_discs(store, DiscSweep(name="two", seeds=(2, 3, 4, 5)))


@pytest.fixture
def pods(pod, store, monkeypatch) -> DatasetPods:
    """Pods of a dataset of two sweeps, in four parts."""
    render_both(store)
    output = pod.given.output
    given = DatasetInput(
        namespace="local",  # that of disc datasets
        name="discs",
        definition=DatasetDefinition.model_validate(SPEC),
        datasets=(),
        output=output,
        endpoint_is_known=True,
        parts=4,
        build="0" * 64,
    )
    file = pod.folder / DATASET_INPUT_FILE

    def arguments(self) -> list[str]:
        file.write_text(self.given.model_dump_json(exclude_none=True))
        return [f"--input={file}", f"--message={self.folder / 'message'}"]

    monkeypatch.setattr(type(pod), "arguments", arguments)
    return DatasetPods(replace(pod, given=given), store).define()


def test_parts_export_and_one_pod_publishes(pods) -> None:
    ended = [pods.export(part) for part in range(4)]
    assert [one.code for one in ended] == [0, 0, 0, 0]
    assert all(isinstance(one.message, ExportMessage) for one in ended)
    assert [one.message.part for one in ended] == [0, 1, 2, 3]
    assert sum(one.message.runs for one in ended) == 4 * 9
    assert all(one.message.runs > 0 for one in ended)
    assert not pods.store.exists(f"{VERSION}/dataset.json")
    done = pods.publish()
    assert done.code == 0
    document = json.loads(pods.store.read(f"{VERSION}/dataset.json"))
    assert isinstance(done.message, PublishMessage)
    assert done.message.root == document["root"]
    assert [(one.split, one.runs, one.objects) for one in done.message.splits] == [
        (name, counts["runs"], counts["objects"]) for name, counts in document["splits"].items()
    ]
    assert sum(one.runs for one in done.message.splits) == 9
    assert pods.store.read("datasets/local/discs/dataset.json") == pods.store.read(f"{VERSION}/dataset.json")
    assert not [path for path in pods.tree() if ".export" in path or "scratch" in path]
    assert [line["event"] for line in ended[0].log] == [
        "export_part begins",
        "the runs are selected",
        "export_part is done",
    ]


def test_a_laptop_writes_the_same_bytes(pods, tmp_path: Path) -> None:
    for part in range(4):
        pods.export(part)
    pods.publish()
    folder = FolderStore(tmp_path / "copy")  # of the whole bucket, for the times of attempts differ
    for part in ("manifests", "runs", "sweeps"):
        for path in pods.store.iterate_files(part):
            folder.write(path, pods.store.read(path))
    definition = pods.pod.given.definition
    sources = [find_source(folder, source.sweep_ref.name) for source in definition.sources]
    document = prepare_version(folder, "local", "discs", definition, sources).publish()
    write_pointer(folder, document)
    remove_leftovers(folder, document)
    local = {path: folder.read(path) for path in folder.iterate_files("datasets")}
    assert local == pods.tree()


def test_parts_and_publication_may_be_repeated(pods) -> None:
    for part in (0, 1, 1, 2, 3):
        pods.export(part)
    first = pods.publish().message
    before = pods.tree()
    again = pods.export(2)
    assert (again.code, again.message) == (0, ExportMessage(part=2))
    assert "the version is published" in [line["event"] for line in again.log]
    assert pods.publish().message == first
    assert pods.tree() == before


def test_a_publish_pod_writes_what_a_lost_part_has_not(pods) -> None:
    pods.export(0)
    assert pods.publish().code == 0
    before = pods.tree()
    pods.delete()
    for part in range(4):
        pods.export(part)
    pods.publish()
    assert pods.tree() == before


class Killed(BaseException):
    """The pod ends here."""


def test_a_publish_pod_that_was_killed_at_any_write_has_published_or_not_also_without_the_sweeps(
    pods, monkeypatch
) -> None:
    pods = pods.define(exports=[{"format": "coco"}])
    sweeps = pods.tree("sweeps")
    left: Iterator[int] = count()

    def wrap(real: Any) -> Any:
        def change(*arguments: Any) -> Any:
            if next(left, None) is None:
                raise Killed
            return real(*arguments)

        return change

    for name in ("write", "write_new", "write_file", "remove_folder"):
        monkeypatch.setattr(S3Store, name, wrap(getattr(S3Store, name)))
    for part in range(4):
        pods.export(part)
    work = pods.tree()
    undisturbed = pods.publish().message

    published = []
    for allowed in count():
        left = count()
        pods.store.remove_folder("datasets")
        for path, content in (work | sweeps).items():
            pods.store.write(path, content)
        left = iter(range(allowed))
        try:
            pods.publish()
        except Killed:
            left = count()
            pods.store.remove_folder("sweeps")
            again = pods.publish()
            published.append(pods.store.exists(f"{VERSION}/dataset.json"))
            assert again.message == undisturbed if published[-1] else again.message.problem.reason == "StoreDamaged"
        else:
            break
    assert published.count(False) > 5
    assert published.count(True) >= 2
    assert published == sorted(published)


def test_a_publish_pod_of_another_definition_that_ends_late_changes_nothing_of_the_published_version(
    pods, monkeypatch
) -> None:
    late = pods.define(split={"train": 0.9, "test": 0.1})
    before: dict[str, bytes] = {}
    real = S3Store.write_new

    def write_late(store: S3Store, path: str, content: bytes) -> bool:
        if not before:
            before["begins"] = b""
            pods.publish()
            before.update(pods.tree())
        return real(store, path, content)

    monkeypatch.setattr(S3Store, "write_new", write_late)
    ended = late.publish()
    del before["begins"]
    assert (ended.code, ended.message.problem.reason) == (64, "VersionPublished")
    assert before.items() <= pods.tree().items()
    assert pods.tree()["datasets/local/discs/dataset.json"] == before[f"{VERSION}/dataset.json"]


@pytest.mark.parametrize("job", ["export", "publish"])
def test_another_definition_of_a_published_version_never_works(pods, job) -> None:
    pods.publish()
    before = pods.tree()
    other = pods.define(split={"train": 0.9, "test": 0.1})
    ended = other.export(0) if job == "export" else other.publish()
    assert ended.code == 64
    assert ended.message.problem.reason == "VersionPublished"
    assert "'3' is published and stays as it is, but split was " in ended.message.problem.message
    assert ended.message.problem.message.endswith("; choose another version")
    assert pods.tree() == before


def test_a_definition_that_does_not_fit_never_works(pods) -> None:
    ended = pods.define(sources=[{"sweepRef": {"name": "one"}, "where": "colour = 3"}]).export(0)
    assert ended.code == 64
    assert ended.message.problem.reason == "DatasetInvalid"
    assert "spec.sources[0].where: there is no axis or column 'colour'" in ended.message.problem.message


def test_a_dataset_of_a_sweep_that_was_deleted_is_named(pods) -> None:
    pods.store.remove_folder("sweeps/local/two")
    ended = pods.export(0)
    assert ended.code == 75
    assert ended.message.problem.reason == "StoreDamaged"
    assert "dataset.json: is missing: its sweep was deleted, or this attempt of it was" in ended.message.problem.message


def test_a_lost_file_of_a_run_is_named(pods) -> None:
    picture = next(path for path in pods.store.iterate_files("runs") if path.endswith("real.png"))
    pods.store.remove_files([picture])
    ended = [pods.export(part) for part in range(4)]
    problem = next(one.message.problem for one in ended if one.message.problem)
    assert problem.reason == "StoreDamaged"
    assert "this file of a run is missing; synth verify --repair renders the run again" in problem.message


def test_delete_removes_all_versions_and_keeps_sweeps_and_runs(pods) -> None:
    pods.publish()
    pods.define(version="4", exports=[{"format": "coco"}]).publish()
    pods.define(version="5").export(1)
    rest = pods.tree("sweeps") | pods.tree("runs")
    ended = pods.delete()
    assert (ended.code, ended.message) == (0, DeleteMessage())
    assert pods.tree() == {}
    assert pods.tree("sweeps") | pods.tree("runs") == rest
    assert pods.delete().code == 0


def test_an_input_of_another_release_is_no_dataset(pods) -> None:
    ended = pods.give(parts=0).publish()
    assert ended.code == 64
    assert ended.message.problem.reason == "PlanUnreadable"
    assert "is not a dataset of this release: parts: must be at least 1, not 0" in ended.message.problem.message


def test_a_pod_of_its_own_ends_with_code_and_message(pods) -> None:
    pod = pods.pod.with_environment(JOB_COMPLETION_INDEX="3")
    process = pod.start("export_part")
    _, log = process.communicate()
    ended = pod.read_end(process.returncode, log)
    assert (ended.code, ended.message.part) == (0, 3)
