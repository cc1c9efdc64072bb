"""The pods of all Jobs pass Pod Security `restricted` of every supported Kubernetes, on a real API server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from api_server import ApiServer, api_server
from overlay_attempts import ALLOWED, LISTED, PRIORITY

from synth_api.jobs.messages import JobKind
from synth_api.resources.output import Output
from synth_operator.configuration import Configuration
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.jobs import build_small_job
from synth_operator.manifests.names import JobKey
from synth_operator.manifests.render_pod import build_render_template

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS: Final = ("v1.33", "v1.34", "v1.35", "latest")
OUTPUT: Final = Output.model_validate(
    {
        **{"endpoint": "store:9000", "bucket": "bucket"},
        **{"secretRef": {"name": "store"}, "caSecretRef": {"name": "authority"}},
    }
)
CONFIGURATION: Final = Configuration.from_tree(
    {
        **{"operatorImage": "lab/synth-operator:1", "rendererImage": "lab/synth-renderer:1"},
        **{"lease": {"namespace": "synth"}, "overlay": LISTED, "priorityClasses": [PRIORITY]},
        "gpu": {"kernelCache": {"claim": {"name": "kernels"}}},
    }
)

Pod = dict[str, Any]


def name_namespace(version: str) -> str:
    return f"restricted-{version.replace('.', '-')}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("create", "priorityclass", PRIORITY, "--value=-1")
        for version in VERSIONS:
            namespace = name_namespace(version)
            running.kubectl("create", "namespace", namespace)
            label = "pod-security.kubernetes.io/enforce"
            running.kubectl("label", "namespace", namespace, f"{label}=restricted", f"{label}-version={version}")
            running.kubectl("create", "serviceaccount", "default", f"--namespace={namespace}")
        yield running


def build_pods() -> dict[str, Pod]:
    """Return a pod of each kind of Job, and render pods of a GPU sweep and of one with a full overlay."""
    metadata = {"namespace": "lab", "name": "beads", "uid": "uid-1", "resourceVersion": "1", "generation": 1}
    specs = {"plain": {}, "gpu": {"gpu": {}}, "overlay": {"podTemplate": ALLOWED}}
    sweeps = {name: SweepObject.from_json({"metadata": metadata, "spec": spec}) for name, spec in specs.items()}
    singles = (kind for kind in JobKind if kind is not JobKind.RENDER)
    templates = {
        kind.value: build_small_job(sweeps["plain"], JobKey(kind, "ab" * 32), OUTPUT, CONFIGURATION)["spec"]["template"]
        for kind in singles
    } | {
        name: build_render_template(sweep, JobKey(JobKind.RENDER, "ab" * 32), OUTPUT, CONFIGURATION)
        for name, sweep in sweeps.items()
    }
    return {name: build_pod(name, template) for name, template in templates.items()}


def build_pod(name: str, template: Pod) -> Pod:
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], "name": name}}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pods_of_all_jobs_are_restricted(server: ApiServer, version: str) -> None:
    pods = build_pods()
    documents = "\n---\n".join(map(json.dumps, pods.values()))
    options = (f"--namespace={name_namespace(version)}", "--filename=-", "--dry-run=server", "--output=name")

    assert server.kubectl("create", *options, stdin=documents).split() == [f"pod/{name}" for name in pods]


def test_the_server_enforces_the_standard(server: ApiServer) -> None:
    pod = build_pods()["plain"]
    weaker = {**pod, "spec": {**pod["spec"], "hostNetwork": True}}
    answer = server.call(
        "create",
        f"--namespace={name_namespace('latest')}",
        "--filename=-",
        "--dry-run=server",
        stdin=json.dumps(weaker),
    )
    assert 'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)' in answer.stderr
