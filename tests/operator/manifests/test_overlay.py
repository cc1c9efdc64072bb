from collections.abc import Callable
from typing import Any

import pytest

from synth_api.errors import InputError
from synth_api.jobs.messages import JobKind
from synth_api.resources.output import Output
from synth_operator.configuration import Configuration
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.merge import merge
from synth_operator.manifests.names import JobKey
from synth_operator.manifests.render_pod import build_render_template

TASK = JobKey(JobKind.RENDER, "ab" * 32)
Make = Callable[..., SweepObject]
HOST = "the operator's configuration does not allow access to the host"
WEAKER = "the operator's configuration does not allow a weaker security context"


def template(sweep: SweepObject, output: Output, configuration: Configuration) -> dict[str, Any]:
    return build_render_template(sweep, TASK, output, configuration)


def test_an_overlay_is_merged_by_name(sweep: Make, output: Output, configuration: Configuration) -> None:
    overlay = {
        "metadata": {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
        "spec": {
            "tolerations": [{"key": "lab", "operator": "Exists"}],
            "containers": [{"name": "render", "env": [{"name": "TMPDIR", "value": "/fast"}]}],
            "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Ti"}}],
            "initContainers": [{"name": "log", "image": "lab/synth-renderer:1", "restartPolicy": "Always"}],
        },
    }

    pod = template(sweep(podTemplate=overlay), output, configuration)["spec"]

    (container,) = pod["containers"]
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert environment["TMPDIR"] == "/fast"
    assert environment["HOME"] == "/scratch"
    assert container["image"] == "lab/synth-renderer:1"
    assert {v["name"]: v for v in pod["volumes"]}["scratch"]["emptyDir"]["sizeLimit"] == "1Ti"
    assert pod["initContainers"][0]["securityContext"]["allowPrivilegeEscalation"] is False


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
        ({"metadata": {"name": "x"}}, "metadata.name: may not be set; only labels and annotations"),
        (
            {"metadata": {"labels": {"synth-operator.io/sweep": "x"}}},
            "metadata.labels.synth-operator.io/sweep: belongs to the operator; choose another name",
        ),
        ({"spec": {"restartPolicy": "OnFailure"}}, "spec.restartPolicy: belongs to the operator; take it out"),
        (
            {"spec": {"serviceAccountName": "root"}},
            "spec.serviceAccountName: the operator's configuration does not allow 'root'; allowed are: none",
        ),
        (
            {"spec": {"automountServiceAccountToken": True}},
            "spec.automountServiceAccountToken: needs a serviceAccountName that the operator's configuration allows",
        ),
        (
            {"spec": {"volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}},
            "spec.volumes[0].projected: a token needs a serviceAccountName that the operator's configuration allows",
        ),
        ({"spec": {"hostPID": True}}, f"spec.hostPID: {HOST}"),
        ({"spec": {"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}}, f"spec.volumes[0].hostPath: {HOST}"),
        (
            {"spec": {"volumes": [{"name": "input", "emptyDir": {}}]}},
            "spec.volumes[0].name: 'input' belongs to the operator; choose another name",
        ),
        (
            {"spec": {"containers": [{"name": "render", "ports": [{"containerPort": 1, "hostPort": 1}]}]}},
            f"spec.containers[0].ports[0].hostPort: {HOST}",
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
        (
            {"spec": {"initContainers": [{"name": "x", "image": "evil:1"}]}},
            "spec.initContainers[0].image: the operator's configuration does not allow the image 'evil:1'",
        ),
        (
            {"spec": {"securityContext": {"runAsNonRoot": False}}},
            f"spec.securityContext.runAsNonRoot: must be true; {WEAKER}",
        ),
        (
            {"spec": {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}},
            f"spec.securityContext.seccompProfile.type: must be RuntimeDefault or Localhost; {WEAKER}",
        ),
        (
            {"spec": {"containers": [{"name": "render", "securityContext": {"privileged": True}}]}},
            f"spec.containers[0].securityContext.privileged: must not be true; {WEAKER}",
        ),
        (
            {"spec": {"containers": [{"name": "render", "securityContext": {"readOnlyRootFilesystem": False}}]}},
            f"spec.containers[0].securityContext.readOnlyRootFilesystem: must be true; write to /scratch; {WEAKER}",
        ),
        (
            {"spec": {"containers": [{"name": "render", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]}},
            f"spec.containers[0].securityContext.capabilities.add: may only have NET_BIND_SERVICE; {WEAKER}",
        ),
    ],
)
def test_a_forbidden_overlay_is_refused(
    overlay: dict[str, Any], sentence: str, sweep: Make, output: Output, configuration: Configuration
) -> None:
    with pytest.raises(InputError) as error:
        template(sweep(podTemplate=overlay), output, configuration)

    assert str(error.value) == f"spec.podTemplate.{sentence}"


@pytest.mark.parametrize(
    ("policy", "overlay"),
    [
        ({"hostAccess": True}, {"spec": {"hostNetwork": True}}),
        ({"securityContext": True}, {"spec": {"securityContext": {"runAsNonRoot": False}}}),
        ({"images": True}, {"spec": {"initContainers": [{"name": "x", "image": "any:1"}]}}),
    ],
)
def test_the_configuration_can_allow_it(
    policy: dict[str, bool], overlay: dict[str, Any], sweep: Make, output: Output, configuration: Configuration
) -> None:
    allowing = Configuration.from_tree({**configuration.model_dump(mode="json", by_alias=True), "overlay": policy})

    assert overlay["spec"].keys() <= template(sweep(podTemplate=overlay), output, allowing)["spec"].keys()
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
