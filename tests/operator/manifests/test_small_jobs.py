from collections.abc import Callable

import pytest

from synth_api.dataset_card import DatasetCard
from synth_api.jobs.attempt_input import AttemptInput
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import INPUT_ANNOTATION, build_input_name
from synth_api.resources.output import Output
from synth_api.resources.synth_recipe import RecipeSpec
from synth_operator.configuration import Configuration
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.inputs import build_input_config_map
from synth_operator.manifests.jobs import build_small_job
from synth_operator.manifests.names import JobKey
from synth_operator.validation import ValidatedSweep

ATTEMPT = "ab" * 32
Make = Callable[..., SweepObject]


@pytest.mark.parametrize("kind", [JobKind.PLAN, JobKind.FINALIZE, JobKind.DELETE])
def test_a_small_job_has_one_try_and_the_operator_image(
    kind: JobKind, sweep: Make, output: Output, configuration: Configuration
) -> None:
    job = build_small_job(sweep(), JobKey(kind, ATTEMPT), output, configuration)

    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert job["spec"]["backoffLimit"] == 0
    assert container["image"] == "lab/synth-operator:1"
    assert container["command"] == ["python", "-m", f"synth_dataset.jobs.{kind.value}"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_input_of_an_attempt_is_an_immutable_config_map(
    sweep: Make, output: Output, configuration: Configuration
) -> None:
    validated = ValidatedSweep("cd" * 32, 4, "beads", RecipeSpec(recipe={"a": 1}), "ef" * 32, output)

    given = sweep(overrides=["seed=range(4)"], dataset={"title": "Beads"})
    body = build_input_config_map(given, validated, ATTEMPT, configuration)

    assert body["immutable"] is True
    assert body["metadata"]["name"] == build_input_name("beads", ATTEMPT)
    task = AttemptInput.model_validate_json(body["data"]["attempt.json"])
    assert not task.endpoint_is_known
    assert task.dataset == DatasetCard(title="Beads")
    known = configuration.model_copy(update={"allowed_endpoints": (output.endpoint,)})
    body = build_input_config_map(sweep(), validated, ATTEMPT, known)
    assert AttemptInput.model_validate_json(body["data"]["attempt.json"]).endpoint_is_known
    assert (task.recipe, task.overrides, task.output, task.attempt) == ({"a": 1}, ("seed=range(4)",), output, ATTEMPT)


def test_a_delete_job_has_no_owner_and_contains_its_input(
    sweep: Make, output: Output, configuration: Configuration
) -> None:
    job = build_small_job(sweep(), JobKey(JobKind.DELETE, ATTEMPT), output, configuration)

    template = job["spec"]["template"]
    assert "ownerReferences" not in job["metadata"]
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    task = AttemptInput.model_validate_json(template["metadata"]["annotations"][INPUT_ANNOTATION])
    assert (task.namespace, task.name, task.output) == ("lab", "beads", output)
    assert "downwardAPI" in template["spec"]["volumes"][0]
