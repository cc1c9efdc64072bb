"""Controller references of test objects."""

from __future__ import annotations

from synth_operator.kube.api import JsonObject, Resource


def build_controller(resource: Resource, name: str, uid: str) -> JsonObject:
    """Return the owner reference of an object that another one controls."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, "name": name, "uid": uid, "controller": True}
