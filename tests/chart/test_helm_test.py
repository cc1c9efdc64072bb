"""`helm test`: its sweep is valid, its rights are small, and its objects are no part of the installation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from servers import ROOT

from synth_api.resources.output import Output
from synth_api.resources.synth_sweep import SweepSpec
from synth_operator.validation import ValidatedSweep, validate_sweep

if TYPE_CHECKING:
    from conftest import Helm

Tree = dict[str, Any]
CHART = str(ROOT / "charts/synth-operator")
STORE = {"endpoint": "minio:9000", "bucket": "data"}


def render_test(helm: Helm, values: Tree | None = None) -> dict[str, Tree]:
    """Return kind -> object of the test."""
    options = ("--namespace", "machinery", "--kube-version", "1.35.4", "--show-only", "templates/tests/sweep.yaml")
    documents = yaml.safe_load_all(helm.run("template", "synth", CHART, *options, values=values))
    return {each["kind"]: each for each in documents if each}


def read_sweep(objects: dict[str, Tree]) -> Tree:
    return dict(json.loads(objects["ConfigMap"]["data"]["sweep.json"]))


def test_its_sweep_is_valid_and_has_one_run(helm: Helm) -> None:
    sweep = read_sweep(render_test(helm))
    spec = SweepSpec.model_validate(sweep["spec"])
    validated = validate_sweep("helm-test", spec, None, Output.model_validate(STORE))
    assert isinstance(validated, ValidatedSweep), validated
    assert validated.runs == 1
    assert sweep["spec"]["deletionPolicy"] == "Delete"


def test_values_choose_its_output_and_other_fields(helm: Helm) -> None:
    spec = read_sweep(render_test(helm, {"test": {"spec": {"output": STORE, "queueName": "team"}}}))["spec"]
    assert (spec["output"], spec["queueName"]) == (STORE, "team")
    assert spec["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


PLACES: list[tuple[Tree, str]] = [
    ({}, "machinery"),
    ({"namespaces": ["lab-b", "lab-a"]}, "lab-b"),
    ({"namespaces": ["lab-a"], "test": {"namespace": "lab-c"}}, "lab-c"),
]


@pytest.mark.parametrize(("values", "place"), PLACES, ids=[place for _, place in PLACES])
def test_it_may_only_create_read_and_delete_sweeps_in_one_namespace(helm: Helm, values: Tree, place: str) -> None:
    objects = render_test(helm, values)
    assert objects["Role"]["rules"] == [
        {"apiGroups": ["synth-operator.io"], "resources": ["synthsweeps"], "verbs": ["create", "get", "delete"]}
    ]
    assert read_sweep(objects)["metadata"]["namespace"] == place
    assert {objects[kind]["metadata"]["namespace"] for kind in ("Role", "RoleBinding")} == {place}
    assert {objects[kind]["metadata"]["namespace"] for kind in ("Pod", "ServiceAccount")} == {"machinery"}
    assert objects["RoleBinding"]["subjects"][0]["namespace"] == "machinery"


def test_its_objects_go_after_a_success_and_its_pod_before_the_next_test(helm: Helm) -> None:
    objects = render_test(helm)
    assert set(objects) == {"ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Pod"}
    weights = {kind: int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for kind, each in objects.items()}
    assert weights.pop("Pod") > max(weights.values())
    for kind, each in objects.items():
        assert each["metadata"]["annotations"]["helm.sh/hook"] == "test"
        policy = each["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        # `helm test --logs` reads the pod's log after the hooks have ended.
        assert policy == ("before-hook-creation" if kind == "Pod" else "before-hook-creation,hook-succeeded")


def test_its_pod_satisfies_pod_security_restricted(helm: Helm) -> None:
    pod = render_test(helm)["Pod"]["spec"]
    operator = helm.render().pod["spec"]
    assert pod["securityContext"] == operator["securityContext"]
    (container,) = pod["containers"]
    assert container["securityContext"] == operator["containers"][0]["securityContext"]
    assert container["image"] == operator["containers"][0]["image"]
