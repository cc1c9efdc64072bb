"""Fake nodes (kwok): the real scheduler places pods on them, and the pods succeed after a while without running."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from harness import components

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.cluster import Cluster

_READY: Final = """
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
conditions:
- { type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }} }
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
"""
_COMPLETE: Final = """
{{ $now := Now }}
{{ $root := . }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $root.status.startTime | Quote }}
      finishedAt: {{ $now | Quote }}
      message: MESSAGE
{{ end }}
"""


@contextmanager
def fake_nodes(
    cluster: Cluster,
    names: Sequence[str],
    resources: Mapping[str, str],
    *,
    seconds: float,
    message: str = '""',
    taints: Sequence[Mapping[str, str]] = (),
) -> Iterator[None]:
    """Add nodes of these names for a while. A pod takes `seconds`; `message` is a template of its message."""
    stages = cluster.scratch_folder / "stages.yaml"
    stages.write_text("\n---\n".join(json.dumps(stage) for stage in _stages(seconds, message)))
    slot = cluster.sandbox.slot
    cluster.processes["kwok"] = cluster.sandbox.start(components.kwok_command(slot, str(stages)), slot.log("kwok"))
    nodes = [_node(name, resources, taints) for name in names]
    cluster.kubectl("create", "--filename=-", stdin="\n---\n".join(json.dumps(node) for node in nodes))
    try:
        cluster.kubectl("wait", "--for=condition=Ready", "--timeout=300s", *(f"node/{name}" for name in names))
        yield
    finally:
        cluster.kubectl("delete", *(f"node/{name}" for name in names))
        cluster.kill_component("kwok")


def _node(name: str, resources: Mapping[str, str], taints: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    amounts = {"cpu": "64", "memory": "512Gi", "pods": "1000", **resources}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": name, "type": "kwok"},
        },
        "spec": {"taints": list(taints)},
        "status": {"capacity": amounts, "allocatable": amounts},
    }


def _stages(seconds: float, message: str) -> Iterator[dict[str, Any]]:
    alive = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}
    going = {"key": ".metadata.deletionTimestamp", "operator": "Exists"}
    new = {"key": ".status.podIP", "operator": "DoesNotExist"}
    running = {"key": ".status.phase", "operator": "In", "values": ["Running"]}
    yield _stage("ready", [alive, new], {"statusTemplate": _READY})
    delay = {"durationMilliseconds": int(seconds * 1000)}
    yield _stage("complete", [alive, running], {"statusTemplate": _COMPLETE.replace("MESSAGE", message)}, delay)
    yield _stage("delete", [going], {"finalizers": {"empty": True}, "delete": True})


def _stage(
    name: str, expressions: Sequence[dict[str, Any]], following: dict[str, Any], delay: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": f"pod-{name}"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {"matchExpressions": list(expressions)},
            **({"delay": delay} if delay else {}),
            "next": following,
        },
    }
