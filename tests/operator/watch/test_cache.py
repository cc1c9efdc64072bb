"""The cache of watched objects: what reconcile threads find in it after lists and events."""

from typing import Any

import pytest

from synth_api.jobs.names import DATASET_LABEL, JOB_LABEL, OWNER_ANNOTATION, SWEEP_LABEL
from synth_operator.kube.api import Resource
from synth_operator.watch.cache import ObjectCache

SWEEP = ("lab", "s")


def build(name: str, version: int = 1, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata = {
        "namespace": "lab",
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-05-01T11:00:00Z",
        "labels": labels or {},
    }
    return {"metadata": metadata, **more}


def build_sweep(recipe: str = "r", version: int = 1, **spec: Any) -> dict[str, Any]:
    return build("s", version, spec={"recipeRef": {"name": recipe}, **spec})


def build_job(sweep: str = "s") -> dict[str, Any]:
    owner = {
        "apiVersion": "synth-operator.io/v1alpha1",
        "kind": "SynthSweep",
        "name": sweep,
        "uid": f"uid-{sweep}",
        "controller": True,
    }
    body = build("j", labels={SWEEP_LABEL: sweep, JOB_LABEL: "plan"}, spec={})
    body["metadata"] |= {"ownerReferences": [owner], "annotations": {OWNER_ANNOTATION: f"uid-{sweep}"}}
    return body


@pytest.fixture
def fetched() -> list[str]:
    return []


@pytest.fixture
def cache(fetched: list[str]) -> ObjectCache:
    def fetch(_resource: Resource, _namespace: str, name: str) -> dict[str, Any]:
        fetched.append(name)
        return LARGE

    return ObjectCache(fetch)


LARGE = build_sweep(axes=[{"path": "a", "values": [str(number**9) for number in range(9_000)]}])


def test_a_sweep_is_read_once_per_version(cache: ObjectCache) -> None:
    cache.put(Resource.SWEEPS, build_sweep())
    first = cache.find_sweep(SWEEP)
    assert first
    assert cache.find_sweep(SWEEP) is first

    cache.put(Resource.SWEEPS, build_sweep(version=2))
    second = cache.find_sweep(SWEEP)
    assert second
    assert second.resource_version == "2"


def test_a_large_sweep_is_read_from_the_api_each_time(cache: ObjectCache, fetched: list[str]) -> None:
    cache.put(Resource.SWEEPS, LARGE)
    found = cache.find_sweep(SWEEP)

    assert found
    assert len(found.spec.axes[0].values or ()) == 9_000
    cache.find_sweep(SWEEP)
    assert fetched == ["s", "s"]


def test_the_sweeps_of_a_recipe_follow_edits_and_deletions(cache: ObjectCache) -> None:
    cache.put(Resource.SWEEPS, build_sweep("one"))
    assert cache.list_users(("lab", "one")) == (SWEEP,)
    cache.put(Resource.SWEEPS, build_sweep("other", version=2))
    assert (cache.list_users(("lab", "one")), cache.list_users(("lab", "other"))) == ((), (SWEEP,))
    cache.remove(Resource.SWEEPS, build_sweep("other", version=3))

    assert cache.list_users(("lab", "other")) == ()
    assert cache.find_sweep(SWEEP) is None


def test_jobs_are_found_by_their_sweep_also_after_its_label_changed(cache: ObjectCache) -> None:
    cache.put(Resource.JOBS, build_job())
    assert [job.name for job in cache.list_children(SWEEP)[0]] == ["j"]
    cache.put(Resource.JOBS, build_job("t"))
    assert cache.list_children(SWEEP) == ((), ())
    assert [job.name for job in cache.list_children(("lab", "t"))[0]] == ["j"]
    cache.remove(Resource.JOBS, build_job("t"))

    assert cache.list_children(("lab", "t")) == ((), ())


def test_the_places_to_look_at_hold_sweeps_recipes_and_sweeps_that_only_have_children(cache: ObjectCache) -> None:
    cache.put(Resource.SWEEPS, build_sweep())
    cache.put(Resource.RECIPES, build("r", spec={"recipe": {}}))
    cache.put(Resource.JOBS, build_job("gone"))

    assert cache.list_places() == {
        (Resource.SWEEPS, SWEEP),
        (Resource.RECIPES, ("lab", "r")),
        (Resource.SWEEPS, ("lab", "gone")),
    }


def build_dataset(*sweeps: str) -> dict[str, Any]:
    sources = [{"sweepRef": {"name": name}} for name in sweeps]
    return build("d", spec={"version": "1", "sources": sources, "exports": [{"format": "coco"}]})


def test_the_datasets_of_a_sweep_follow_edits_and_deletions(cache: ObjectCache) -> None:
    cache.put(Resource.DATASETS, build_dataset("s", "t"))
    assert cache.list_users(SWEEP, Resource.SWEEPS) == (("lab", "d"),)
    cache.put(Resource.DATASETS, build_dataset("t"))
    assert cache.list_users(SWEEP, Resource.SWEEPS) == ()
    cache.remove(Resource.DATASETS, build_dataset("t"))

    assert cache.list_users(("lab", "t"), Resource.SWEEPS) == ()
    assert cache.find_dataset(("lab", "d")) is None


def test_a_dataset_and_a_sweep_of_one_name_have_their_own_jobs(cache: ObjectCache) -> None:
    cache.put(Resource.JOBS, build_job())
    body = build_job()
    body["metadata"] |= {"name": "e", "labels": {DATASET_LABEL: "s", JOB_LABEL: "export"}}
    body["metadata"]["ownerReferences"][0]["kind"] = "SynthDataset"
    cache.put(Resource.JOBS, body)

    assert [job.name for job in cache.list_children(SWEEP)[0]] == ["j"]
    assert [job.name for job in cache.list_children(SWEEP, Resource.DATASETS)[0]] == ["e"]


def test_a_job_that_names_neither_a_sweep_nor_a_dataset_is_not_kept(cache: ObjectCache) -> None:
    body = build_job()
    del body["metadata"]["labels"][SWEEP_LABEL]
    cache.put(Resource.JOBS, body)
    assert cache.list_places() == set()
