"""Controller references: which object an object belongs to. Labels prove nothing, since every user may write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_operator.kube.api import Resource


def find_controller(body: Mapping[str, Any], resource: Resource) -> Mapping[str, Any]:
    """Return the reference to the controller of an object if it is of this resource, in any version, else an empty one.

    The reference has `name` and `uid`.
    """
    for reference in body["metadata"].get("ownerReferences") or ():
        group = reference["apiVersion"].rpartition("/")[0]
        if reference.get("controller") and (group, reference["kind"]) == (resource.group, resource.kind):
            found: Mapping[str, Any] = reference
            return found
    return {}
