"""The gallery of a sweep that is being rendered: runs and failures as they appear in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from disc_datasets import DiscSweep, draw_discs, record_run, stack_discs, write_run
from typing_extensions import override

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_dataset.attempts import live_gallery
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.live_gallery import LiveGallery, choose_sweep
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.documents.layout import batch_path, manifest_path, run_path
from synth_dataset.store.base import StoreError
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import pack_runs

if TYPE_CHECKING:
    from pathlib import Path

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

SWEEP = DiscSweep()
FAILURE = FailedRun(number=4, overrides={}, reason="GateFailed", message="flat")


def render(store: Store, *runs: int) -> None:
    for seed, number in (SWEEP.points()[run] for run in runs):
        discs = draw_discs(seed, number)
        with store.open_scratch(f"{seed}-{number}") as folder:
            visible = write_run(folder, stack_discs(discs), discs, SWEEP.particle_blueprints)
            store.commit_run(folder, record_run(SWEEP, seed, number, visible, (60, 40)))


def open_gallery(store: Store) -> LiveGallery:
    return LiveGallery(store, "local", SWEEP.name, seconds=0.0)


def list_runs(news: dict[str, Any]) -> list[int]:
    return [run for piece in news["pieces"] for run in piece["run"]]


def test_each_answer_has_the_runs_since_the_one_before(each_store: Store) -> None:
    attempt = begin_call(each_store, SWEEP).attempt
    gallery = open_gallery(each_store)
    assert gallery.list_news(attempt.path, 0) == {
        "attempt": attempt.path,
        "pieces": [],
        "received": 0,
        "more": False,
        "state": "0 of 6 runs rendered",
    }
    render(each_store, 1, 3)
    news = gallery.list_news(attempt.path, 0)
    assert list_runs(news) == [1, 3]
    assert news["pieces"][0]["values"] == [[0, 1], [4, 4]]
    render(each_store, 0)
    news = gallery.list_news(attempt.path, news["received"])
    assert (list_runs(news), news["state"]) == ([0], "3 of 6 runs rendered")
    assert list_runs(gallery.list_news(attempt.path, 0)) == [1, 3, 0], "a page that is opened later"


def test_failures_are_those_of_the_batches_then_those_of_the_dataset(each_store: Store) -> None:
    attempt = begin_call(each_store, SWEEP).attempt
    gallery = open_gallery(each_store)
    batch = BatchDocument(batch=0, size=6, failures=(FAILURE,))
    each_store.write(batch_path(attempt.path, 0), batch.to_json())
    news = gallery.list_news(attempt.path, 0)
    assert news["pieces"][0] | {"values": []} == {
        "run": [4], "values": [], "reason": ["GateFailed"], "message": ["flat"]
    }  # fmt: skip
    render(each_store, 0, 1, 2, 3)
    commit_dataset(each_store, attempt, [FAILURE], ())
    news = gallery.list_news(attempt.path, news["received"])
    assert list_runs(news) == [0, 1, 2, 3]
    assert news["state"] == "4 of 6 runs rendered, 1 failed; the dataset is committed"


def test_runs_that_are_packed_meanwhile_stay(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has seen that a run exists, and reads it or its pictures later."""
    monkeypatch.setattr(live_gallery, "MAX_NEW_RUNS", 2)
    attempt = begin_call(store, SWEEP).attempt
    render(store, 0, 1, 2, 3)
    gallery = open_gallery(store)
    news = gallery.list_news(attempt.path, 0)
    assert (list_runs(news), news["more"]) == ([0, 1], True)
    folders = {key: run_path(key, store.read_manifest(key).c8) for key in store.iterate_keys()}
    page = FolderStore(store.root)
    pictures = [page.read(f"{folder}/real.png") for folder in folders.values()]
    other = FolderStore(store.root)
    pack_runs(other, other, folders)
    news = gallery.list_news(attempt.path, 0)
    assert (list_runs(news), news["state"]) == ([0, 1, 2, 3], "4 of 6 runs rendered")
    assert [page.read(f"{folder}/real.png") for folder in folders.values()] == pictures


def test_many_runs_come_in_several_answers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_gallery, "MAX_NEW_RUNS", 4)
    attempt = begin_call(store, SWEEP).attempt
    render(store, *range(6))
    gallery = open_gallery(store)
    first = gallery.list_news(attempt.path, 0)
    second = gallery.list_news(attempt.path, first["received"])
    assert [list_runs(first), list_runs(second)] == [[0, 1, 2, 3], [4, 5]]
    assert (first["more"], second["more"]) == (True, False)


def test_a_page_of_an_earlier_attempt_is_told_the_newest(store: Store) -> None:
    render(store, 0)
    gallery = open_gallery(store)
    old = begin_call(store, SWEEP).attempt
    assert old.path in gallery.build_page().decode()
    new = begin_call(store, SWEEP).attempt
    news = gallery.list_news(old.path, 0)
    assert (news["attempt"], news["pieces"]) == (new.path, [])


def test_a_run_that_cannot_be_read_is_named_and_stops_no_other(store: Store) -> None:
    attempt = begin_call(store, SWEEP).attempt
    render(store, 0, 1)
    store.write(manifest_path(SWEEP.key(*SWEEP.points()[0])), b"{")
    news = open_gallery(store).list_news(attempt.path, 0)
    assert list_runs(news) == [1]
    assert "run 0 cannot be read: " in news["state"]


def test_a_run_with_a_damaged_table_is_shown_without_sizes(store: Store) -> None:
    attempt = begin_call(store, SWEEP).attempt
    render(store, 0)
    key = SWEEP.key(*SWEEP.points()[0])
    store.write(f"{run_path(key, store.read_manifest(key).c8)}/particles.parquet", b"damaged")
    news = open_gallery(store).list_news(attempt.path, 0)
    assert (list_runs(news), news["pieces"][0]["mean"]) == ([0], [None])
    assert "the particles of run 0 cannot be read: " in news["state"]


class BrokenStore(FolderStore):
    """Store that does not answer once."""

    answers = False

    @override
    def read_manifest(self, key: str) -> Manifest:
        if not self.answers:
            self.answers = True
            raise StoreError(Reason.STORE_UNREACHABLE, "no answer")
        return super().read_manifest(key)


def test_runs_that_could_not_be_read_come_with_the_next_answer(tmp_path: Path) -> None:
    store = BrokenStore(tmp_path)
    attempt = begin_call(store, SWEEP).attempt
    render(FolderStore(tmp_path), 0, 1)
    gallery = open_gallery(store)
    with pytest.raises(StoreError, match="no answer"):
        gallery.list_news(attempt.path, 0)
    assert list_runs(gallery.list_news(attempt.path, 0)) == [0, 1]


def test_a_sweep_is_chosen_before_it_has_a_dataset(store: Store) -> None:
    with pytest.raises(InputError, match="holds no sweep yet; call again when synth render runs"):
        choose_sweep(store, None)
    begin_call(store, SWEEP)
    assert choose_sweep(store, None) == "discs"
    with pytest.raises(InputError, match=r"holds no sweep 'disks'; did you mean 'discs'"):
        choose_sweep(store, "disks")
    begin_call(store, DiscSweep("more"))
    with pytest.raises(InputError, match="holds 2 sweeps; choose one of discs, more with --name"):
        choose_sweep(store, None)
    with pytest.raises(InputError, match=r"other: has nothing in .* yet; call again when it is planned"):
        LiveGallery(store, "local", "other", 0.0).build_page()
