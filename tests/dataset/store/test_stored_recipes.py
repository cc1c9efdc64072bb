"""Recipes are stored once, and a run's canonical tree comes back from its manifest."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from synth_dataset.documents.document import DocumentError
from synth_dataset.store import base as stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dataset.store.base import Store

FIRST = {"seed": 0, "steps": [{"size": 1.0}, {"size": 2}], "blueprints": {"Bead": {"number": 600}}}
TREES = [FIRST | {"seed": seed, "steps": [{"size": 1.0}, {"size": seed}]} for seed in range(3)]


@pytest.fixture
def commit(each_store: Store, record_of: Callable[..., Any]) -> Callable[[int], Any]:
    def commit(number: int) -> Any:
        reference = each_store.keep_recipe(FIRST, TREES[number])
        with each_store.open_scratch("run") as folder:
            (folder / "real.png").write_bytes(b"pixels")
            return each_store.commit_run(folder, record_of(f"{number:064x}", recipe=reference))

    return commit


def test_runs_of_a_sweep_share_one_stored_recipe(each_store: Store, commit: Callable[[int], Any]) -> None:
    for number in range(3):
        commit(number)
    (path,) = each_store.iterate_files("recipes")
    content = each_store.read(path)
    assert path == f"recipes/{sha256(content).hexdigest()}.json"
    assert json.loads(content) == FIRST
    for number, tree in enumerate(TREES):
        assert json.dumps(each_store.read_recipe(each_store.read_manifest(f"{number:064x}")), sort_keys=True) == (
            json.dumps(tree, sort_keys=True)
        )


def test_a_recipe_is_there_before_the_manifest_of_its_first_run(
    each_store: Store, commit: Callable[[int], Any]
) -> None:
    reference = each_store.keep_recipe(FIRST, TREES[0])
    assert each_store.exists(f"recipes/{reference.sha256}.json")
    assert list(each_store.iterate_keys()) == []


def test_a_recipe_is_written_again_after_an_hour_and_not_for_every_run(
    each_store: Store, commit: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(0)
    (path,) = each_store.iterate_files("recipes")
    each_store.remove_files([path])
    commit(1)
    assert not each_store.exists(path)
    monkeypatch.setattr(stores, "RENEWAL_SECONDS", 0.0)
    commit(2)
    assert each_store.exists(path)


def test_a_recipe_in_the_manifest_of_an_earlier_release_is_the_tree_itself(
    each_store: Store, record_of: Callable[..., Any]
) -> None:
    with each_store.open_scratch("run") as folder:
        manifest = each_store.commit_run(folder, record_of("0" * 64, recipe=TREES[1]))
    assert each_store.read_recipe(each_store.read_manifest("0" * 64)) == TREES[1] == manifest.recipe


def test_a_missing_or_foreign_recipe_is_named(each_store: Store, commit: Callable[[int], Any]) -> None:
    manifest = commit(1)
    (path,) = each_store.iterate_files("recipes")
    uri = each_store.format_uri(path)
    each_store.remove_files([path])
    with pytest.raises(DocumentError, match=f"{uri}: this recipe of runs is missing; restore it"):
        each_store.read_recipe(manifest)
    each_store.write(path, b"{}")
    with pytest.raises(DocumentError, match=f"{uri}: its content does not have the hash of its name; restore the file"):
        each_store.read_recipe(manifest)


def test_changes_that_do_not_fit_the_recipe_are_named(each_store: Store, commit: Callable[[int], Any]) -> None:
    manifest = commit(1)
    reference = manifest.recipe.model_copy(
        update={"changes": ({"op": "replace", "path": "/steps/7/size", "value": 1},)}
    )
    with pytest.raises(DocumentError, match="the changes in the manifest of a run do not fit this recipe"):
        each_store.read_recipe(manifest.model_copy(update={"recipe": reference}))
