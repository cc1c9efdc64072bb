from collections.abc import Callable
from typing import Any

import pytest
from overlay_attempts import ALLOWED, LISTED, PRIORITY

from synth_api.errors import InputError
from synth_api.jobs.messages import JobKind
from synth_api.resources.output import Output
from synth_api.resources.reserved_names import TRUSTED
from synth_operator.configuration import Configuration
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.merge import merge
from synth_operator.manifests.names import JobKey
from synth_operator.manifests.render_pod import build_render_template
from synth_operator.manifests.restricted import harden_pod_spec

TASK = JobKey(JobKind.RENDER, "ab" * 32)
FIELDS = (
    "affinity, containers, imagePullSecrets, nodeSelector, priorityClassName, runtimeClassName, tolerations, "
    "topologySpreadConstraints, volumes"
)
Make = Callable[..., SweepObject]


def template(sweep: SweepObject, output: Output, configuration: Configuration) -> dict[str, Any]:
    return build_render_template(sweep, TASK, output, configuration)


def configure(base: Configuration, **keys: Any) -> Configuration:
    return Configuration.from_tree({**base.model_dump(mode="json", by_alias=True), **keys})


@pytest.fixture
def trusting(configuration: Configuration) -> Configuration:
    return configure(configuration, overlay={"trusted": True})


def test_an_overlay_is_merged_by_name(sweep: Make, output: Output, configuration: Configuration) -> None:
    listing = configure(configuration, overlay=LISTED, priorityClasses=[PRIORITY])

    made = template(sweep(podTemplate=ALLOWED), output, listing)

    (container,) = made["spec"]["containers"]
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert (environment["HOME"], environment["NO_PROXY"]) == ("/scratch", ".svc,.cluster.local,10.0.0.0/8")
    assert container["image"] == "lab/synth-renderer:1"
    assert [mount["mountPath"] for mount in container["volumeMounts"]][-1] == "/mnt/textures"
    assert container["resources"]["limits"]["memory"] == "6Gi"
    assert [volume["name"] for volume in made["spec"]["volumes"]] == ["input", "scratch", "more"]
    assert made["spec"]["priorityClassName"] == PRIORITY
    assert len(made["spec"]["topologySpreadConstraints"]) == 2
    assert made["metadata"]["labels"].items() >= ALLOWED["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        (
            {"spec": {"contaners": []}},
            "spec.contaners: a pod template has no key 'contaners' here; did you mean 'containers'?",
        ),
        ({"spec": {"tolerations": {}}}, "spec.tolerations: must be a list, not a mapping"),
        ({"spec": {"priority": "high"}}, "spec.priority: must be a whole number, not 'high'"),
        ({"spec": {"nodeSelector": {"gpu": True}}}, "spec.nodeSelector.gpu: must be a string, not true; quote it"),
        (
            {"spec": {"hostPID": True}},
            f"spec.hostPID: true is not allowed; here an overlay may set only {FIELDS}; {TRUSTED}",
        ),
        (
            {"metadata": {"name": "x"}},
            f"metadata.name: 'x' is not allowed; here an overlay may set only annotations, labels; {TRUSTED}",
        ),
        (
            {"spec": {"containers": [{"name": "render", "livenessProbe": {"httpGet": {"port": 1}}}]}},
            "spec.containers[0].livenessProbe: a mapping is not allowed; here an overlay may set only env, name, "
            f"resources, volumeMounts; {TRUSTED}",
        ),
        (
            {"metadata": {"labels": {"synth-operator.io/sweep": "x"}}},
            "metadata.labels.synth-operator.io/sweep: is in the reserved domain synth-operator.io; choose a name in a "
            "domain of yours",
        ),
        (
            {"metadata": {"labels": {"batch.kubernetes.io/job-name": "x"}}},
            "metadata.labels.batch.kubernetes.io/job-name: is in the reserved domain kubernetes.io; choose a name in a "
            "domain of yours",
        ),
        (
            {"metadata": {"labels": {"job-name": "x"}}},
            "metadata.labels.job-name: belongs to Kubernetes, which finds a Job's pods by it; choose another name",
        ),
        (
            {"metadata": {"annotations": {"sidecar.istio.io/proxyImage": "evil"}}},
            "metadata.annotations.sidecar.istio.io/proxyImage: is in the reserved domain istio.io; choose a name in a "
            "domain of yours (sweeps.overlay.reservedDomains of the chart)",
        ),
        (
            {"metadata": {"labels": {"a/b/c": "x"}}},
            "metadata.labels.a/b/c: is no key of a label or annotation; use at most 63 letters, digits, '-', '_' and "
            "'.', after a domain and '/' if it has one",
        ),
        (
            {"spec": {"containers": [{"name": "render", "env": [{"name": "PYTHONPATH", "value": "/x"}]}]}},
            "spec.containers[0].env[0].name: 'PYTHONPATH' is reserved, as is all of PYTHON*; choose another name; "
            f"{TRUSTED}",
        ),
        (
            {"spec": {"containers": [{"name": "render", "env": [{"name": "BASH_FUNC_id%%", "value": "() { :; }"}]}]}},
            "spec.containers[0].env[0].name: 'BASH_FUNC_id%%' is no name of a variable; use letters, digits and '_'",
        ),
        (
            {"spec": {"containers": [{"name": "render", "env": [{"name": "X", "value": "$(AWS_ACCESS_KEY_ID)"}]}]}},
            "spec.containers[0].env[0].value: must be a literal value, without '$('; Kubernetes would put another "
            f"variable there; {TRUSTED}",
        ),
        (
            {"spec": {"tolerations": [{"operator": "Exists"}]}},
            "spec.tolerations[0]: the operator does not allow to tolerate every taint; allowed are: "
            "nvidia.com/gpu:NoSchedule (sweeps.overlay.tolerations of the chart)",
        ),
        (
            {"spec": {"priorityClassName": "high"}},
            "spec.priorityClassName: the operator does not allow 'high'; allowed are: none (sweeps.priorityClasses of "
            "the chart)",
        ),
        (
            {"spec": {"volumes": [{"name": "more", "persistentVolumeClaim": {"claimName": "x"}}]}},
            "spec.volumes[0].persistentVolumeClaim.claimName: the operator does not allow the claim 'x'; allowed are: "
            "none (sweeps.overlay.claims of the chart)",
        ),
        (
            {"spec": {"volumes": [{"name": "more"}]}},
            f"spec.volumes[0]: the volume 'more' has no persistentVolumeClaim; {TRUSTED}",
        ),
        (
            {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "x"}}]}},
            "spec.volumes[0].name: is missing; give it a value",
        ),
        (
            {"spec": {"containers": [{"name": "render", "volumeMounts": [{"name": "ca", "mountPath": "/mnt/x"}]}]}},
            "spec: volumeMounts name 'ca', which is none of its volumes; add it there",
        ),
        (
            {"spec": {"containers": [{"name": "render", "volumeMounts": [{"name": "x", "mountPath": "/opt"}]}]}},
            f"spec.containers[0].volumeMounts[0]: mountPath must be a folder below /mnt, not '/opt'; {TRUSTED}",
        ),
    ],
)
def test_what_is_not_on_the_list_is_refused(
    overlay: dict[str, Any], sentence: str, sweep: Make, output: Output, configuration: Configuration
) -> None:
    with pytest.raises(InputError) as error:
        template(sweep(podTemplate=overlay), output, configuration)

    assert str(error.value) == f"spec.podTemplate.{sentence}"


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ({"metadata": {"name": "x"}}, "metadata.name: may not be set; only labels and annotations"),
        (
            {"metadata": {"labels": {"synth-operator.io/sweep": "x"}}},
            "metadata.labels.synth-operator.io/sweep: belongs to the operator; choose another name",
        ),
        (
            {"metadata": {"labels": {"job-name": "x"}}},
            "metadata.labels.job-name: belongs to the operator; choose another name",
        ),
        ({"spec": {"restartPolicy": "OnFailure"}}, "spec.restartPolicy: belongs to the operator; take it out"),
        (
            {"spec": {"priorityClassName": "system-node-critical"}},
            "spec.priorityClassName: 'system-node-critical' belongs to pods of Kubernetes, before which all others "
            "give way; choose another class",
        ),
        (
            {"spec": {"volumes": [{"name": "input", "emptyDir": {}}]}},
            "spec.volumes[0].name: 'input' belongs to the operator; choose another name",
        ),
        (
            {"spec": {"containers": [{"name": "other", "image": "x"}]}},
            "spec.containers[0].name: only the container 'render' can be changed; "
            "write others as initContainers with `restartPolicy: Always`",
        ),
        (
            {"spec": {"containers": [{"name": "render", "command": ["sh"]}]}},
            "spec.containers[0].command: belongs to the operator; take it out",
        ),
        (
            {"spec": {"containers": [{"name": "render", "image": "x"}]}},
            "spec.containers[0].image: belongs to spec.image; write it there",
        ),
    ],
)
def test_trust_does_not_reach_what_the_operator_needs(
    overlay: dict[str, Any], sentence: str, sweep: Make, output: Output, trusting: Configuration
) -> None:
    with pytest.raises(InputError) as error:
        template(sweep(podTemplate=overlay), output, trusting)

    assert str(error.value) == f"spec.podTemplate.{sentence}"


@pytest.mark.parametrize(
    "spec",
    [
        {"hostNetwork": True},
        {"securityContext": {"runAsNonRoot": False}},
        {"initContainers": [{"name": "x", "image": "any:1"}]},
        {"volumes": [{"name": "more", "secret": {"secretName": "any"}}]},
        {"serviceAccountName": "any", "automountServiceAccountToken": True},
        {"tolerations": [{"operator": "Exists"}]},
        {"priorityClassName": "any"},
    ],
)
def test_trust_reaches_everything_else(
    spec: dict[str, Any], sweep: Make, output: Output, configuration: Configuration, trusting: Configuration
) -> None:
    overlay = {"spec": spec}

    made = template(sweep(podTemplate=overlay), output, trusting)["spec"]

    assert merge(made, harden_pod_spec(spec)) == made
    with pytest.raises(InputError):
        template(sweep(podTemplate=overlay), output, configuration)


def test_null_removes_a_key_and_lists_without_names_are_appended() -> None:
    base = {"a": {"x": 1, "y": 2}, "tolerations": [{"key": "a"}], "args": ["1"], "env": [{"name": "A", "value": "1"}]}
    over = {"a": {"x": None}, "tolerations": [{"key": "b"}], "args": ["2"], "env": [{"name": "B", "value": "2"}]}

    assert merge(base, over) == {
        "a": {"y": 2},
        "tolerations": [{"key": "a"}, {"key": "b"}],
        "args": ["2"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }
