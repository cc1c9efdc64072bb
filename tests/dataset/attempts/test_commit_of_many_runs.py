"""A commit streams: memory and work of a run do not grow with the number of runs."""

from __future__ import annotations

import gc
import json
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.attempts.run_stream import iterate_runs
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.layout import manifest_path, run_path
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.views import pooled_table, run_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.views.progress import Progress

RUNS = 40
STEP = {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real", "output_file_name_prefix": "many_"}
RECIPE = {"synth_chain": {"rendering_steps": [STEP]}}


class WatchedStore(FolderStore):
    """Store that counts the manifests that it has read, and those of them that are alive."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read_manifests = 0
        self.alive = 0

    def read_manifest(self, key: str) -> Manifest:
        manifest = super().read_manifest(key)
        weakref.finalize(manifest, self._count_end)
        self.read_manifests += 1
        self.alive += 1
        return manifest

    def _count_end(self) -> None:
        self.alive -= 1


@pytest.fixture
def store(tmp_path: Path) -> WatchedStore:
    return WatchedStore(tmp_path / "store")


@pytest.fixture
def sweep(store: WatchedStore, record_of: Callable[..., Any], sweep_of: Callable[..., Any]) -> Any:
    """A sweep of RUNS runs, all of them in the store."""
    sweep = sweep_of(*range(RUNS))
    for number in range(RUNS):
        with store.open_scratch("run") as folder:
            (folder / "many_real.png").write_bytes(b"pixels")
            store.commit_run(folder, record_of(sweep.key(number), recipe=RECIPE, seed=number))
    return sweep


def test_a_commit_holds_a_few_manifests_and_reads_each_once(
    store: WatchedStore, sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled_table, "CHUNK_RUNS", 1)
    attempt = begin_call(store, sweep).attempt
    most, before = 0, store.read_manifests

    def count_manifests(_what: str, _done: int, _total: int) -> None:
        nonlocal most
        gc.collect()
        most = max(most, store.alive)

    dataset = commit_dataset(store, attempt, [], (lambda *_: None,), count_manifests)
    assert dataset.runs == RUNS
    assert most < 10
    assert store.read_manifests - before == RUNS


def test_rendering_steps_that_runs_share_are_parsed_once(
    store: WatchedStore, sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[Any] = []
    parse = run_pictures.parse_rendering_steps
    monkeypatch.setattr(run_pictures, "parse_rendering_steps", lambda tree: (parsed.append(tree), parse(tree))[1])
    pictures: list[Sequence[str]] = []

    def look(_folder: Path, runs: Sequence[Any], *_: Any) -> None:
        pictures.extend(run.pictures for run in runs)

    commit_dataset(store, begin_call(store, sweep).attempt, [], (look,))
    assert pictures == [("many_real.png",)] * RUNS
    assert len(parsed) <= 1


def test_progress_counts_the_runs_of_the_dataset_and_of_each_view(store: WatchedStore, sweep: Any) -> None:
    heard: list[tuple[str, int, int]] = []

    def look(_folder: Path, runs: Sequence[Any], _attempt: Any, _dataset: Any, progress: Progress) -> None:
        progress("page", len(runs), len(runs))

    commit_dataset(store, begin_call(store, sweep).attempt, [], (look,), lambda *step: heard.append(step))
    assert heard == [*(("the dataset", done, RUNS) for done in range(1, RUNS + 1)), ("page", RUNS, RUNS)]


def test_a_commit_that_progress_ends_leaves_the_dataset_before(store: WatchedStore, sweep: Any) -> None:
    before = commit_dataset(store, begin_call(store, sweep).attempt, [], ())
    begun = begin_call(store, sweep)
    assert begun is None, "the dataset is complete"

    def end_at_ten(_what: str, done: int, _total: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    attempt = open_attempt(store, before.folder)
    with pytest.raises(KeyboardInterrupt):
        commit_dataset(store, attempt, [], (), end_at_ten)
    assert list(store.list_children("scratch")) == []
    assert commit_dataset(store, attempt, [], ()).model_copy(update={"created": before.created}) == before


def test_runs_of_an_attempt_are_a_stream_in_run_order(store: WatchedStore, sweep: Any) -> None:
    attempt = begin_call(store, sweep).attempt
    store.remove_files([manifest_path(sweep.key(3))])
    runs = iterate_runs(store, attempt)
    first = next(runs)
    assert store.read_manifests < RUNS + RUNS // 2, "the others are not read yet"
    assert (first.number, dict(first.overrides)) == (0, {"initial_runtime_state.seed": 0})
    assert first.folder == run_path(first.manifest.key, first.manifest.c8)
    assert first.read("many_real.png") == b"pixels"
    assert [run.number for run in runs] == [1, 2, *range(4, RUNS)]


def test_a_run_of_a_later_release_is_named_and_stops_no_other(
    store: WatchedStore, sweep: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With a key of its own, a key of its files, and a recipe whose steps this release does not know."""
    attempt = begin_call(store, sweep).attempt
    for number in (3, 5):
        path = manifest_path(sweep.key(number))
        document = json.loads(store.read(path)) | {"colour": 1, "recipe": {"synth_chain": {"rendering_steps": [{}]}}}
        document["files"][0]["dye"] = "red"
        store.write(path, json.dumps(document).encode())
    pictures: list[Sequence[str]] = []

    def look(_folder: Path, runs: Sequence[Any], *_: Any) -> None:
        pictures.extend(run.pictures for run in runs)

    assert commit_dataset(store, attempt, [], (look,)).runs == RUNS
    assert pictures == [("many_real.png",)] * RUNS
    assert [record.getMessage() for record in caplog.records] == [
        f"run 3 ({sweep.key(3)}) and 1 more: a later release has written the manifest; "
        "its keys colour, files.dye are not read"
    ]


def test_a_manifest_that_cannot_be_read_is_named(store: WatchedStore, sweep: Any) -> None:
    attempt = begin_call(store, sweep).attempt
    store.write(manifest_path(sweep.key(3)), b"{")
    with pytest.raises(DocumentError, match=sweep.key(3)):
        list(iterate_runs(store, attempt))
