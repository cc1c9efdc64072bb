"""Versions of a dataset: shared runs, published once, interrupted at any write, never changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.resources.synth_dataset import DatasetDefinition
from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.layout import manifest_path
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.versions.published_version import (
    PublishedError,
    check_version,
    find_version,
    remove_leftovers,
    write_pointer,
)
from synth_dataset.versions.version_build import VersionBuild, prepare_version
from synth_dataset.versions.version_document import VersionDocument

VERSION = "datasets/lab/discs/3"


def define(**changes: Any) -> DatasetDefinition:
    spec: dict[str, Any] = {
        "version": "3",
        "sources": [{"sweepRef": {"name": "one"}}, {"sweepRef": {"name": "two"}, "where": "number > 0"}],
        "split": {"train": 0.5, "test": 0.5},
        "exports": [{"format": "coco"}, {"format": "webdataset", "shardSize": "1Mi", "minArea": 60}],
        "card": {"title": "Discs", "authors": ["A. Author"]},
    }
    return DatasetDefinition.model_validate(spec | changes)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A store with two sweeps."""
    store = FolderStore(tmp_path / "store")
    said = DatasetCard(licence="CC-BY-4.0", title="One")
    render_discs(store, DiscSweep(name="one", seeds=(0, 1, 2), card=said))
    render_discs(store, DiscSweep(name="two", seeds=(2, 3, 4, 5), card=said))
    return store


def sources_of(store: FolderStore, definition: DatasetDefinition) -> list[DatasetSource]:
    return [find_source(store, source.sweep_ref.name) for source in definition.sources]


def prepare(store: FolderStore, definition: DatasetDefinition | None = None) -> VersionBuild:
    chosen = definition or define()
    return prepare_version(store, "lab", "discs", chosen, sources_of(store, chosen))


def find(store: FolderStore, definition: DatasetDefinition) -> VersionDocument | None:
    document = find_version(store, "lab", "discs", definition.version)
    if document:
        check_version(document, definition, sources_of(store, definition))
    return document


def publish(store: FolderStore, definition: DatasetDefinition | None = None) -> VersionDocument:
    """What a build does from start to end."""
    chosen = definition or define()
    document = find(store, chosen) or prepare(store, chosen).publish()
    write_pointer(store, document)
    remove_leftovers(store, document)
    return document


def tree_of(store: FolderStore, folder: str = "datasets") -> dict[str, bytes]:
    return {path: store.read(path) for path in store.iterate_files(folder)}


def test_a_version_has_its_exports_and_says_what_it_holds(store: FolderStore) -> None:
    document = publish(store)
    assert json.loads(store.read(f"{VERSION}/dataset.json")) == json.loads(document.to_json())
    assert (document.version, document.folder, document.runs) == ("3", VERSION, 6 + 3)
    assert (document.title, document.licence, document.authors) == ("Discs", "CC-BY-4.0", ("A. Author",))
    assert sum(counts.runs for counts in document.splits.values()) == 9
    assert {split: str(share) for split, share in document.split.items()} == {"test": "1/2", "train": "1/2"}
    assert [(source.name, source.where) for source in document.sources] == [("one", ""), ("two", "number > 0")]
    assert [(export.format, export.runs) for export in document.exports] == [("coco", 9), ("webdataset", 9)]
    assert all(re.fullmatch(f"{export.format}-[0-9a-f]{{8}}", export.folder) for export in document.exports)
    for export in document.exports:
        checksums = store.read(f"{VERSION}/{export.folder}/checksums.sha256")
        assert export.checksums == hashlib.sha256(checksums).hexdigest()
        card = json.loads(store.read(f"{VERSION}/{export.folder}/dataset.json"))
        assert (card["name"], card["version"], card["title"]) == ("discs", "3", "Discs")
    coco = document.exports[0]
    assert coco.loading.endswith(f"COCO('{coco.folder}/annotations/instances_train.json')")


def test_all_exports_have_the_same_runs_in_the_same_splits(store: FolderStore) -> None:
    document = publish(store)
    coco, shards = document.exports
    assert {split: counts.runs for split, counts in coco.splits.items()} == {
        split: counts.runs for split, counts in shards.splits.items()
    }
    assert sum(counts.objects for counts in shards.splits.values()) < sum(
        counts.objects for counts in coco.splits.values()
    )


def test_the_root_is_that_of_a_dataset_if_all_its_runs_are_there(store: FolderStore) -> None:
    whole = publish(store, define(sources=[{"sweepRef": {"name": "one"}}]))
    assert whole.root == find_source(store, "one").dataset.root
    part = define(version="4", sources=[{"sweepRef": {"name": "one"}, "where": "number > 0"}])
    assert publish(store, part).root != whole.root


def test_the_pointer_names_the_version_that_was_built_last(store: FolderStore) -> None:
    publish(store)
    before = tree_of(store, VERSION)
    publish(store, define(version="4", exports=[{"format": "yolo"}]))
    assert json.loads(store.read("datasets/lab/discs/dataset.json"))["version"] == "4"
    assert tree_of(store, VERSION) == before


def test_an_export_with_a_limit_has_the_first_runs(store: FolderStore) -> None:
    document = publish(store, define(exports=[{"format": "coco"}, {"format": "yolo", "limit": 2}]))
    assert [export.runs for export in document.exports] == [9, 2]
    assert document.runs == sum(counts.runs for counts in document.splits.values()) == 9


def test_a_version_counts_the_runs_of_its_longest_export(store: FolderStore) -> None:
    document = publish(store, define(exports=[{"format": "yolo", "limit": 2}, {"format": "coco", "limit": 4}]))
    assert [export.runs for export in document.exports] == [2, 4]
    assert document.runs == sum(counts.runs for counts in document.splits.values()) == 4


def test_a_missing_manifest_has_a_remedy(store: FolderStore) -> None:
    key = next(find_source(store, "one").iterate_rows(["key"]))["key"]
    build = prepare(store)
    store.remove_files([manifest_path(key)])
    with pytest.raises(DocumentError, match=rf"{key}\.json: is missing; synth verify --repair renders the run again"):
        build.publish()


def test_a_published_version_is_left_alone(store: FolderStore) -> None:
    first = publish(store)
    times = {path: (store.root / path).stat().st_mtime_ns for path in store.iterate_files(VERSION)}
    assert publish(store) == first
    assert {path: (store.root / path).stat().st_mtime_ns for path in store.iterate_files(VERSION)} == times


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"split": {"train": 0.9, "test": 0.1}}, r'split was {"test": 0.5, "train": 0.5} and is {"test": 0.1, "train"'),
        ({"salt": "x"}, 'salt was not set and is "x"'),
        ({"sources": [{"sweepRef": {"name": "one"}}]}, r'sources was \[{"sweepRef": {"name": "one"}}, .*… and is '),
        ({"exports": [{"format": "coco"}]}, r"exports was \["),
        ({"card": None, "salt": "y"}, r'card was {"title": .* and is not set, salt was not set and is "y"'),
    ],
)
def test_a_published_version_is_never_built_from_something_else(store: FolderStore, changes, what) -> None:
    publish(store)
    before = tree_of(store)
    with pytest.raises(InputError, match=f"^spec.version: '3' is published and stays as it is, but {what}.*"
                                         "; choose another version$"):  # fmt: skip
        publish(store, define(**changes))
    assert tree_of(store) == before


def test_other_runs_of_a_source_need_another_version(store: FolderStore) -> None:
    publish(store)
    render_discs(store, DiscSweep(name="one", seeds=(0, 1, 2, 7)))
    with pytest.raises(InputError, match="but the dataset of 'one' has other runs or labels; choose another version"):
        publish(store)


def test_any_number_of_parts_writes_the_same_bytes(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_dataset.exports.chunks.MAX_CHUNK_RUNS", 2)
    publish(store)
    whole = tree_of(store)
    store.remove_folder("datasets")
    builds = [prepare(store) for _ in range(3)]
    count = len(builds[0].chunks)
    assert count > 5
    for number in reversed(range(count)):
        builds[number % 3].write_chunk(number)
        builds[(number + 1) % 3].write_chunk(number)  # two pods of one index
    publish(store)
    assert tree_of(store) == whole


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Ends the process at a write of any store."""

    def arm(allowed: int) -> None:
        left = iter(range(allowed))

        def wrap(real: Callable[[FolderStore, str, Any], Any]) -> Callable[[FolderStore, str, Any], Any]:
            def write(self: FolderStore, path: str, content: Any) -> Any:
                if next(left, None) is None:
                    raise Killed
                return real(self, path, content)

            return write

        for name, real in writes.items():
            monkeypatch.setattr(FolderStore, name, wrap(real))

    writes = {name: getattr(FolderStore, name) for name in ("write", "write_new")}

    return arm


def test_a_build_continues_after_a_kill_at_any_write(store: FolderStore, kill_after: Callable[[int], None]) -> None:
    definition = define(exports=[{"format": "coco"}, {"format": "huggingface"}])
    coco = publish(store, definition).exports[0]
    whole = tree_of(store)
    written = len(whole) - len(list(store.iterate_files(f"{VERSION}/{coco.folder}/images")))  # pictures are links
    for allowed in (*range(0, written, 5), *range(written - 4, written)):
        store.remove_folder("datasets")
        kill_after(allowed)
        try:
            publish(store, definition)
        except Killed:
            is_published = store.exists(f"{VERSION}/dataset.json")
            assert (
                not is_published
                or tree_of(store).items()
                >= {path: content for path, content in whole.items() if path.startswith(VERSION)}.items()
            )
        kill_after(10_000)
        publish(store, definition)
        assert tree_of(store) == whole


def test_an_unfinished_build_by_another_definition_leaves_nothing(
    store: FolderStore, kill_after: Callable[[int], None]
) -> None:
    publish(store)
    whole = tree_of(store)
    store.remove_folder("datasets")
    kill_after(12)
    other = define(split={"a": 0.5, "b": 0.5}, exports=[{"format": "yolo"}, {"format": "coco", "limit": 5}])
    with pytest.raises(Killed):
        publish(store, other)
    assert any("yolo" in path for path in tree_of(store))
    kill_after(10_000)
    prepare(store, other).write_chunk(1)
    publish(store)
    assert tree_of(store) == whole


def test_a_process_with_another_definition_changes_nothing_of_the_version_that_was_published_meanwhile(
    store: FolderStore,
) -> None:
    late = prepare(store, define(split={"train": 0.9, "test": 0.1}))
    late.write_chunk(0)
    document = publish(store)
    before = tree_of(store)
    late.write_chunk(0)
    late.write_chunk(1)
    with pytest.raises(PublishedError, match="'3' is published and stays as it is, but split was"):
        late.publish()
    assert before.items() <= tree_of(store).items()
    remove_leftovers(store, document)
    assert tree_of(store) == before


def test_two_processes_that_publish_the_same_definition_both_succeed(store: FolderStore) -> None:
    late = prepare(store)
    document = publish(store)
    before = tree_of(store)
    assert late.publish() == document
    remove_leftovers(store, document)
    assert tree_of(store) == before


def test_a_version_of_an_earlier_release_has_folders_named_by_format_and_stays(store: FolderStore) -> None:
    document = publish(store)
    for export in document.exports:
        (store.root / VERSION / export.folder).rename(store.root / VERSION / export.format)
    exports = tuple(export.model_copy(update={"folder": export.format}) for export in document.exports)
    store.write(f"{VERSION}/dataset.json", document.model_copy(update={"exports": exports}).to_json())
    before = tree_of(store, VERSION)
    assert [export.folder for export in publish(store).exports] == ["coco", "webdataset"]
    assert tree_of(store, VERSION) == before


def test_a_published_version_outlives_its_sweeps_and_their_runs(store: FolderStore) -> None:
    publish(store)
    before = tree_of(store)
    store.remove_folder("sweeps")
    garbage = find_garbage(store, timedelta(0))
    remove_garbage(store, garbage)
    assert list(store.iterate_files("runs")) == []
    assert tree_of(store) == before


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sources": [{"sweepRef": {"name": "one"}, "where": "nummer > 0"}]},
         r"spec\.sources\[0\]\.where: there is no axis or column 'nummer'; did you mean 'number'"),
        ({"group": "colour"}, r"spec\.group: there is no axis or column 'colour'"),
        ({"splitBy": ["colour=1:test"]}, r"spec\.splitBy: there is no axis or column 'colour'"),
        ({"exports": [{"format": "coco", "classMap": {"Bead": "ball"}}]},
         r"spec\.exports\[\]\.classes: the file has no entry for 'Flake'; add 'Flake: CLASS', or null to drop it"),
    ],
)  # fmt: skip
def test_a_definition_that_does_not_fit_its_runs_is_named_by_its_field(store: FolderStore, changes, problem) -> None:
    with pytest.raises(InputError, match=problem):
        publish(store, define(**changes))
    assert tree_of(store) == {}


def test_sources_with_splits_of_their_own_need_a_split(store: FolderStore) -> None:
    render_discs(store, DiscSweep(name="three", seeds=(8, 9), card=DatasetCard(split={"train": 0.5, "test": 0.5})))
    both = [{"sweepRef": {"name": name}} for name in ("one", "three")]
    with pytest.raises(InputError, match=r"^spec\.sources: .* have different splits of their own; give spec\.split$"):
        publish(store, define(sources=both, split={}))
    alone = publish(store, define(sources=both[1:], split={}))
    assert sorted(alone.splits) == ["test", "train"]
