"""The delete Job as its pod runs it, on a real MinIO."""

from __future__ import annotations

import json

import pytest

from synth_api.jobs.messages import DeleteMessage
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_dataset.attempts.attempt import AttemptIdentity
from synth_dataset.documents import layout
from synth_dataset.store.packing import pack_runs

SEED = "initial_runtime_state.seed"


@pytest.fixture
def deletion(pod):
    """What the operator gives a delete Job: a place, no recipe."""
    return pod.change_input(recipe={}, overrides=(), batch_size=None, plan=pod.given.plan, attempt=pod.given.attempt)


@pytest.fixture
def finished(pod, render):
    pod.run("plan")
    render(0, 1, 2, 3)
    pod.run("finalize")
    return pod


def all_files(store):
    return [
        path for part in ("manifests", "recipes", "runs", "sweeps", "scratch") for path in store.iterate_files(part)
    ]


def test_delete_removes_all_documents_of_a_sweep(store, finished, deletion):
    assert len(all_files(store)) > 10
    ended = deletion.run("delete")
    assert ended.code == 0
    assert ended.message == DeleteMessage(runs=4, kept=0)
    assert all_files(store) == []


def test_delete_ignores_missing_files(finished, deletion):
    deletion.run("delete")
    again = deletion.run("delete")
    assert (again.code, again.message) == (0, DeleteMessage(runs=0, kept=0))


def test_runs_of_another_live_attempt_stay(store, finished, deletion, render):
    other = finished.change_input(name="other", overrides=(f"{SEED}=2,3,4",))
    other.run("plan")
    render(2, sweep=other.given.build_sweep())
    other.run("finalize")
    kept = {finished.given.build_sweep().key(number) for number in (2, 3)}
    assert deletion.run("delete").message == DeleteMessage(runs=2, kept=2)
    assert kept < set(store.iterate_keys())
    assert len(set(store.iterate_keys())) == 3
    assert list(store.iterate_files("sweeps/lab/seeds")) == []
    assert other.run("finalize").message.missing == 0


@pytest.fixture
def render_referring(pod, store, record_of):
    """Commits runs as a worker does, whose manifests refer to the recipe of the first run of their sweep."""

    def commit(*numbers, sweep):
        base = build_canonical_tree(sweep.build_recipe(sweep.find_first_run()))
        for number in numbers:
            reference = store.keep_recipe(base, build_canonical_tree(sweep.build_recipe(number)))
            with store.open_scratch("run") as folder:
                (folder / "real.png").write_bytes(b"pixels")
                store.commit_run(folder, record_of(sweep.key(number), recipe=reference))

    return commit


def test_the_recipe_of_a_sweep_goes_with_its_last_run(store, pod, deletion, render_referring):
    pod.run("plan")
    render_referring(0, 1, 2, 3, sweep=pod.given.build_sweep())
    other = pod.change_input(name="other", overrides=(f"{SEED}=2,3,4",))
    other.run("plan")
    render_referring(2, sweep=other.given.build_sweep())
    first, second = store.iterate_files("recipes")
    assert deletion.run("delete").message == DeleteMessage(runs=2, kept=2)
    assert set(store.iterate_files("recipes")) == {first, second}, "kept runs name them"
    gone = other.change_input(recipe={}, overrides=(), plan=other.given.plan, attempt=other.given.attempt)
    assert gone.run("delete").message.kept == 0
    # The recipe of the first sweep is less than a day old, and not that of the second.
    (left,) = store.iterate_files("recipes")
    assert json.loads(store.read(left))["initial_runtime_state"]["seed"] == 0


@pytest.mark.parametrize("most", [1, 2])
def test_recipes_are_left_to_garbage_collection_beside_many_runs(
    store, pod, deletion, render_referring, monkeypatch, most
):
    monkeypatch.setattr("synth_dataset.jobs.delete._MAX_MANIFESTS", most)
    pod.run("plan")
    render_referring(0, 1, sweep=pod.given.build_sweep())
    other = pod.change_input(name="other", overrides=(f"{SEED}=7,8",))
    other.run("plan")
    render_referring(0, 1, sweep=other.given.build_sweep())
    assert deletion.run("delete").message == DeleteMessage(runs=2, kept=0)
    assert len(list(store.iterate_files("recipes"))) == (2 if most == 1 else 1)


def test_the_recipe_that_another_sweep_begins_with_stays(store, pod, deletion, render_referring):
    pod.run("plan")
    render_referring(0, 1, sweep=pod.given.build_sweep())
    other = pod.change_input(name="other", overrides=(f"{SEED}=range(2)",))
    other.run("plan")
    for number in (0, 1):
        store.remove_files([layout.manifest_path(pod.given.build_sweep().key(number))])
    (recipe,) = store.iterate_files("recipes")
    assert deletion.run("delete").code == 0
    assert list(store.iterate_files("recipes")) == [recipe]


def test_runs_of_an_attempt_that_is_being_written_stay(store, finished, deletion):
    keys = b"".join(finished.given.build_sweep().keys())
    store.write("sweeps/lab/other/12345678/12345678/keys.bin", keys)
    assert deletion.run("delete").message == DeleteMessage(runs=0, kept=4)


def test_runs_of_superseded_attempts_go_too(store, pod, deletion, render):
    pod.run("plan")
    render(0, 1)
    changed = pod.change_input(overrides=(f"{SEED}=7,8",))
    changed.run("plan")
    render(0, 1, sweep=changed.given.build_sweep())
    assert deletion.run("delete").message == DeleteMessage(runs=4, kept=0)
    assert all_files(store) == []


@pytest.mark.parametrize("damage", [("keys.bin", b"short"), ("plan.json", b"{")])
def test_no_run_is_removed_beside_an_attempt_that_cannot_be_read(store, finished, deletion, damage):
    other = finished.change_input(name="other", overrides=(f"{SEED}=2,3,4",))
    other.run("plan")
    given = other.given
    name, content = damage
    store.write(f"{AttemptIdentity(given.namespace, given.name, given.plan, given.attempt).path}/{name}", content)
    before = all_files(store)
    ended = deletion.run("delete")
    assert ended.code == 75
    assert ended.message.problem.reason == "StoreDamaged"
    assert name in ended.message.problem.message
    assert all_files(store) == before


def test_the_next_job_completes_an_interrupted_one(store, finished, deletion, monkeypatch):
    keys = [finished.given.build_sweep().key(number) for number in range(4)]
    store.remove_files([layout.pointer_path("lab", "seeds"), layout.manifest_path(keys[0])])
    store.remove_folder(layout.files_path(keys[1]))
    assert deletion.run("delete").code == 0
    assert all_files(store) == []


def test_documents_half_gone_keep_the_runs_they_name(store, finished, deletion):
    folder = AttemptIdentity("lab", "seeds", finished.given.plan, finished.given.attempt).path
    store.remove_files([path for path in store.iterate_files("sweeps/lab/seeds") if not path.endswith("keys.bin")])
    other = finished.change_input(name="other")
    other.run("plan")
    gone = other.change_input(recipe={}, overrides=(), plan=other.given.plan, attempt=other.given.attempt)
    assert gone.run("delete").message == DeleteMessage(runs=0, kept=4)
    assert list(store.iterate_files("sweeps")) == [f"{folder}/keys.bin"]


def test_packed_runs_go_with_the_shard_that_no_other_sweep_needs(store, pod, deletion, render):
    pod.run("plan")
    render(0, 1, 2, 3)
    pack_runs(store, store, [pod.given.build_sweep().key(number) for number in range(4)])
    assert pod.run("finalize").message.succeeded == 4
    assert deletion.run("delete").message == DeleteMessage(runs=4, kept=0)
    assert [*all_files(store), *store.iterate_files("shards")] == []


@pytest.mark.parametrize(("others", "left"), [((3,), 1), ((1, 2, 3), 4)])
def test_a_shard_that_another_sweep_needs_stays_with_its_runs_alone_if_they_are_few(
    store, pod, deletion, render, others, left
):
    sweep = pod.given.build_sweep()
    pod.run("plan")
    render(0, 1, 2, 3)
    pack_runs(store, store, [sweep.key(number) for number in range(4)])
    pod.run("finalize")
    other = pod.change_input(name="other", overrides=(f"{SEED}={','.join(map(str, others))}",))
    other.run("plan")
    assert other.run("finalize").message.cached == len(others)
    assert deletion.run("delete").message == DeleteMessage(runs=4 - len(others), kept=len(others))
    assert len(set(store.iterate_keys())) == left
    assert other.run("finalize").message.missing == 0
