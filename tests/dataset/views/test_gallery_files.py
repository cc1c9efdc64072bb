"""The files that a gallery page shows, as they are found in the index of its dataset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents.layout import manifest_path, run_path
from synth_dataset.views.gallery_files import list_gallery_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

STEP = {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real"}
RECIPE = {"synth_chain": {"rendering_steps": [STEP]}}


@pytest.fixture
def commit(sweep_of: Callable[..., Any], record_of: Callable[..., Any]) -> Callable[..., Any]:
    """Commits a dataset of runs with one picture; returns it and their manifests."""

    def commit(store: Store, *seeds: int) -> tuple[DatasetDocument, list[Manifest]]:
        sweep, manifests = sweep_of(*seeds), []
        for run in range(len(seeds)):
            with store.open_scratch("run") as folder:
                (folder / "real.png").write_bytes(os.urandom(8))
                (folder / "thumb.webp").write_bytes(b"thumbnail")
                manifests.append(store.commit_run(folder, record_of(sweep.key(run), recipe=RECIPE)))
        call = begin_call(store, sweep)
        assert call
        return commit_dataset(store, call.attempt, [], ()), manifests

    return commit


def test_thumbnails_and_pictures_are_listed_in_run_order(each_store: Store, commit: Callable[..., Any]) -> None:
    dataset, manifests = commit(each_store, 5, 3, 8)
    folders = [run_path(manifest.key, manifest.c8) for manifest in manifests]
    thumbnails = list_gallery_files(each_store, dataset, with_pictures=False)
    assert thumbnails == [f"{folder}/thumb.webp" for folder in folders]
    both = list_gallery_files(each_store, dataset, with_pictures=True)
    assert both == [f"{folder}/{file}" for folder in folders for file in ("thumb.webp", "real.png")]


def test_a_page_of_an_earlier_release_shows_the_first_runs(each_store: Store, commit: Callable[..., Any]) -> None:
    dataset, _ = commit(each_store, 1, 2, 3)
    old = dataset.model_copy(update={"views": 2})
    assert len(list_gallery_files(each_store, old, with_pictures=False)) == 2


def test_what_the_page_loads_is_listed_and_masks_with_the_pictures(
    each_store: Store, commit: Callable[..., Any]
) -> None:
    dataset, _ = commit(each_store, 1, 2, 3)
    files = ("coco.json", "gallery/masks-00000.js", "gallery/page.js", "gallery/runs-00000.js", "index.html")
    new = dataset.model_copy(update={"views": 2, "files": files})
    thumbnails = list_gallery_files(each_store, new, with_pictures=False)
    loaded = [f"{dataset.folder}/gallery/{name}" for name in ("page.js", "runs-00000.js")]
    assert len(thumbnails) == 3 + len(loaded)
    assert thumbnails[3:] == loaded
    assert f"{dataset.folder}/gallery/masks-00000.js" in list_gallery_files(each_store, new, with_pictures=True)


def test_a_missing_manifest_is_named(each_store: Store, commit: Callable[..., Any]) -> None:
    dataset, manifests = commit(each_store, 1, 2)
    path = manifest_path(manifests[1].key)
    each_store.remove_files([path])
    with pytest.raises(FileNotFoundError) as error:
        list_gallery_files(each_store, dataset, with_pictures=True)
    assert error.value.filename == each_store.format_uri(path)
