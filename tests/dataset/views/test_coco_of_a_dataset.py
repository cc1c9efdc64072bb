"""coco.json as a commit writes it: whose categories, which pictures, where from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pycocotools.coco import COCO

from synth_dataset.attempts import dataset_commit as finalize
from synth_dataset.attempts.attempt import find_dataset, open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import Category
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.views import dataset_views as views
from synth_dataset.views.coco import CocoRun, iterate_coco

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.store.folder_store import FolderStore

CATEGORIES = [{"id": 1, "name": "Bead"}, {"id": 2, "name": "Flake"}]
VIEWS = (views.write_coco,)


def recipe_of(*blueprints: str) -> dict[str, Any]:
    """What is read of a manifest's recipe."""
    step = {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real"}
    particles = {name: {"geometry_prototype_name": "sphere", "number": 1} for name in blueprints}
    return {"blueprints": {"particles": particles}, "synth_chain": {"rendering_steps": [step]}}


@pytest.fixture
def render(store: FolderStore, record_of: Callable[..., Any]) -> Callable[..., None]:
    """Commits a run of 4 x 3 pixels whose picture shows one particle of each of these categories."""

    def commit(key: str, *shown: str, blueprints: Sequence[str] = ("Flake", "Bead")) -> None:
        mask = {"size": [3, 4], "counts": "011:"}
        particles = [
            {"id": number, "category": name, "bbox": [0, 1, 1, 1], "area": 1, "amodal_area": 1}
            | {"visible_fraction": 1.0, "occluded_by": [], "visible": mask, "amodal": mask}
            for number, name in enumerate(shown, start=1)
        ]
        with store.open_scratch(key) as folder:
            (folder / "real.png").write_bytes(b"pixels")
            document = {"width": 4, "height": 3, "particles": particles}
            (folder / "annotations.json").write_text(json.dumps(document))
            store.commit_run(folder, record_of(key, recipe=recipe_of(*blueprints), visible=len(shown)))

    return commit


@pytest.fixture
def sweep(sweep_of: Callable[..., Any]) -> Callable[..., Any]:
    """A sweep of seeds whose recipe has Bead and Flake."""

    def with_blueprints(*seeds: int) -> Any:
        made = sweep_of(*seeds)
        return type(made)(made.axes, particle_blueprints=("Bead", "Flake"))

    return with_blueprints


def coco_of(store: FolderStore, attempt: StoredAttempt) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(store.read(f"{attempt.path}/{views.COCO}"))
    return document


@pytest.mark.parametrize("shown", [["Flake"], ["Bead"], ["Bead", "Flake"], []])
def test_categories_are_independent_of_visible_particles(store, sweep, render, shown: Sequence[str]) -> None:
    runs = sweep(0)
    attempt = begin_call(store, runs).attempt
    render(runs.key(0), *shown)
    dataset = commit_dataset(store, attempt, [], VIEWS)
    document = coco_of(store, attempt)
    assert [{"id": kind["id"], "name": kind["name"]} for kind in document["categories"]] == CATEGORIES
    assert json.loads(dataset.to_json())["categories"] == [
        {**kind, "supercategory": "particle", "blueprints": [kind["name"]]} for kind in CATEGORIES
    ]
    names = [CATEGORIES[note["category_id"] - 1]["name"] for note in document["annotations"]]
    assert names == list(shown)
    assert dataset.visible == len(shown)


def test_a_dataset_without_a_run_has_all_categories_and_can_be_read(store, sweep, tmp_path: Path) -> None:
    attempt = begin_call(store, sweep(0)).attempt
    commit_dataset(store, attempt, [], VIEWS)
    coco = COCO(str(store.root / attempt.path / views.COCO))
    assert coco.getImgIds() == coco.getAnnIds() == []
    assert [kind["name"] for kind in coco.loadCats(coco.getCatIds())] == ["Bead", "Flake"]


def test_pictures_are_named_from_the_root_of_the_store_and_the_root_from_the_document(store, sweep, render) -> None:
    runs = sweep(0, 1)
    attempt = begin_call(store, runs).attempt
    for number in (0, 1):
        render(runs.key(number), "Bead")
    commit_dataset(store, attempt, [], VIEWS)
    document = coco_of(store, attempt)
    assert (store.root / attempt.path / document["info"]["root"]).resolve() == store.root.resolve()
    for image in document["images"]:
        assert image["file_name"].startswith(f"runs/{runs.key(image['id'])[:2]}/{runs.key(image['id'])}/")
        assert (store.root / image["file_name"]).read_bytes() == b"pixels"


def test_the_document_describes_its_dataset_and_is_reproducible(store, sweep, render) -> None:
    runs = sweep(0)
    attempt = begin_call(store, runs).attempt
    render(runs.key(0), "Bead")
    commit_dataset(store, attempt, [], VIEWS)
    once = store.read(f"{attempt.path}/{views.COCO}")
    assert json.loads(once)["info"] == {
        "description": "beads",
        "version": f"{attempt.document.plan[:8]}/{attempt.document.attempt[:8]}",
        "date_created": attempt.document.created.isoformat(timespec="seconds"),
        "plan": attempt.document.plan,
        "runs": 1,
        "root": "../../../../..",
    }
    commit_dataset(store, open_attempt(store, attempt.path), [], VIEWS)
    assert store.read(f"{attempt.path}/{views.COCO}") == once


def test_a_document_of_the_first_runs_counts_them_all(store, sweep, render, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalize, "MAX_VIEWED_RUNS", 2)
    runs = sweep(0, 1, 2)
    attempt = begin_call(store, runs).attempt
    for number in range(3):
        render(runs.key(number))
    commit_dataset(store, attempt, [], VIEWS)
    document = coco_of(store, attempt)
    assert [image["id"] for image in document["images"]] == [0, 1]
    assert document["info"]["runs"] == 3


def test_a_dataset_of_an_earlier_release_has_the_blueprints_of_its_runs(store, sweep, render) -> None:
    runs = sweep(0)
    attempt = begin_call(store, runs).attempt
    render(runs.key(0), "Flake", blueprints=["Flake", "Bead one"])  # no name that a recipe may have today
    dataset = commit_dataset(store, attempt, [], ())
    for path, left_out in (
        (f"{attempt.path}/{layout.PLAN}", {"categories"}),
        (pointer(dataset), {"categories", "visible"}),
    ):
        document = json.loads(store.read(path))
        store.write(path, json.dumps({key: value for key, value in document.items() if key not in left_out}).encode())
    old = find_dataset(store, "local", "beads")
    assert (old.categories, old.visible) == ((), None)
    new = commit_dataset(store, open_attempt(store, old.folder), old.failures, VIEWS)
    assert [(kind.id, kind.name) for kind in new.categories] == [(1, "Bead one"), (2, "Flake")]
    assert [note["category_id"] for note in coco_of(store, attempt)["annotations"]] == [2]


def pointer(dataset: DatasetDocument) -> str:
    return layout.pointer_path(dataset.namespace, dataset.name)


def test_an_annotation_names_the_agglomerate_of_its_particle() -> None:
    mask = {"size": [3, 4], "counts": "011:"}
    particle = {"category": "Bead", "bbox": [0, 1, 1, 1], "area": 1, "amodal_area": 1, "visible_fraction": 1.0}
    particle |= {"occluded_by": [], "visible": mask, "amodal": mask}
    notes = json.dumps({"particles": [{"id": 1, **particle}, {"id": 2, **particle, "agglomerate": 7}]}).encode()
    run = CocoRun(0, "real.png", 4, 3, lambda: notes)
    document = json.loads(b"".join(iterate_coco([run], {}, [Category(id=1, name="Bead")])))
    assert [note.get("agglomerate_id") for note in document["annotations"]] == [None, 7]
