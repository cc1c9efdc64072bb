"""Specs that only a hostile client writes: they are a problem of their object and nothing else."""

from typing import Any

import pytest
from controllers import build_controller
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_api.jobs.names import ATTEMPT_LABEL, JOB_LABEL, SHARD_LABEL
from synth_api.resources.synth_sweep import DeletionPolicy, SweepSpec, SweepStatus
from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.job_object import read_job
from synth_operator.kube.packed_object import PackedObject, read_object
from synth_operator.kube.pod_object import read_pod
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

MARKS = (JOB_LABEL, SHARD_LABEL, ATTEMPT_LABEL, "batch.kubernetes.io/job-completion-index")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = [str(field.alias) for model in (SweepSpec, SweepStatus) for field in model.model_fields.values()]
VALUES = JSON | st.dictionaries(st.sampled_from(FIELDS), JSON)
METADATA = {"namespace": "lab", "name": "r", "uid": "1", "resourceVersion": "1"}


def nest(levels: int, inner: Any) -> Any:
    for _ in range(levels):
        inner = {"a": [inner]}
    return inner


def test_a_spec_as_deep_as_the_api_takes_it_is_invalid() -> None:
    deep = {"metadata": METADATA, "spec": {"recipe": nest(4_900, 1)}}

    problem = "recipe.a.0.a: is nested more than 64 deep; flatten it"
    assert RecipeObject.from_json(deep).problem == problem
    assert SweepObject.from_json(deep).problem == problem


def test_a_spec_longer_than_any_sweep_needs_is_invalid() -> None:
    values = {"axes": [{"path": "a", "values": ["x" * 4000] * 200}]}

    problem = SweepObject.from_json({"metadata": METADATA, "spec": values}).problem
    assert problem == "spec: has 800,634 bytes as JSON, at most 524,288 are allowed; split or shorten it"


def test_a_usual_depth_is_no_problem() -> None:
    recipe = RecipeObject.from_json({"metadata": METADATA, "spec": {"recipe": nest(30, 1)}})

    assert (recipe.problem, recipe.spec.recipe) == ("", nest(30, 1))


@pytest.mark.parametrize("spec", [None, [], "text", 1, {"recipe": []}, {"recipeRef": "r"}, {"parallelism": 10**400}])
def test_a_spec_of_another_form_is_a_problem(spec: Any) -> None:
    assert SweepObject.from_json({"metadata": METADATA, "spec": spec}).problem


OUTPUT = {"endpoint": "store:9000", "bucket": "bucket"}
LONG = "x" * 600_000


@pytest.mark.parametrize("problem", [{"exports": []}, {"more": 1}, {"card": {"title": LONG}}, {"a": nest(100, 1)}])
def test_the_outputs_of_a_dataset_that_cannot_be_read_have_the_fate_that_it_names(problem: dict[str, Any]) -> None:
    body = {"metadata": METADATA, "spec": {"deletionPolicy": "Delete", "output": OUTPUT, **problem}}
    for read in (DatasetObject.from_json(body), read_object(DatasetObject, *unpack(body))):
        assert read.problem
        assert read.spec.deletion_policy is DeletionPolicy.DELETE
        assert read.spec.output is not None
        assert read.spec.output.bucket == "bucket"


@pytest.mark.parametrize("problem", [{"axes": 1}, {"recipe": {"a": LONG}}])
def test_the_outputs_of_a_sweep_that_cannot_be_read_have_the_fate_that_it_names(problem: dict[str, Any]) -> None:
    body = {"metadata": METADATA, "spec": {"deletionPolicy": "Delete", "output": OUTPUT, **problem}}
    read = SweepObject.from_json(body)
    assert (read.spec.deletion_policy, read.spec.output and read.spec.output.bucket) == ("Delete", "bucket")


@pytest.mark.parametrize("fate", [{"output": 1}, {"output": nest(100, 1)}, {"output": {**OUTPUT, "bucket": "A B"}}])
def test_outputs_whose_place_cannot_be_read_stay(fate: dict[str, Any]) -> None:
    body = {"metadata": METADATA, "spec": {"deletionPolicy": "Delete", **fate}}
    for kind in (SweepObject, DatasetObject):
        read = kind.from_json(body)
        assert read.problem
        assert (read.spec.deletion_policy, read.spec.output) == ("Retain", None)


def unpack(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    packed = PackedObject.pack(body)
    return packed.unpack() or {}, packed.problem


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_no_spec_and_no_status_makes_reading_raise(spec: Any, status: Any) -> None:
    SweepObject.from_json({"metadata": METADATA, "spec": spec, "status": status})
    RecipeObject.from_json({"metadata": METADATA, "spec": spec, "status": status})


@given(st.dictionaries(st.sampled_from(MARKS), st.text() | st.sampled_from(("render", "0", "-1", "9" * 5000))))
def test_no_label_and_no_annotation_makes_reading_raise(marks: dict[str, str]) -> None:
    created = {"uid": "1", "name": "n", "creationTimestamp": "2026-05-01T12:00:00Z"}
    for resource, read in ((Resource.SWEEPS, read_job), (Resource.JOBS, read_pod)):
        owner = build_controller(resource, "o", "2")
        read({"metadata": {**created, "labels": marks, "annotations": marks, "ownerReferences": [owner]}})
