"""The Kubernetes API as the operator writes to it: five verbs on a few resources."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Protocol

from synth_api.resources.base import GROUP, VERSION

Tree = dict[str, Any]
"""An object of the API as its JSON says it."""

CONFLICT: Final = 409
NOT_FOUND: Final = 404


class Resource(Enum):
    """What the operator speaks of, all of it in namespaces."""

    SWEEPS = (GROUP, VERSION, "synthsweeps", "SynthSweep")
    RECIPES = (GROUP, VERSION, "synthrecipes", "SynthRecipe")
    JOBS = ("batch", "v1", "jobs", "Job")
    PODS = ("", "v1", "pods", "Pod")
    INPUTS = ("", "v1", "configmaps", "ConfigMap")
    EVENTS = ("", "v1", "events", "Event")
    LEASES = ("coordination.k8s.io", "v1", "leases", "Lease")

    def __init__(self, group: str, version: str, plural: str, kind: str) -> None:
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind

    @property
    def api_version(self) -> str:
        """As objects write it: `batch/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Path of an object, of all in a namespace, or of all there are."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        parts = [root, namespace and f"namespaces/{namespace}", self.plural, name, subresource]
        return "/".join(part for part in parts if part)


class ApiError(Exception):
    """The API refused a request, or did not answer.

    `code` is the HTTP status, None where no answer came; `reason` the word in the answer (`AlreadyExists`,
    `Conflict`, `Forbidden`, `Invalid`); `message` its sentence.
    """

    def __init__(self, code: int | None, reason: str, message: str) -> None:
        super().__init__(f"{code or 'no answer'} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message


class Api(Protocol):
    """Each call is one request and raises ApiError when it did not succeed, unless it says otherwise."""

    def create(self, resource: Resource, namespace: str, body: Tree) -> Tree:
        """The object as created; 409 where its name is taken."""
        ...

    def read(self, resource: Resource, namespace: str, name: str) -> Tree | None:
        """The object; None where there is none."""
        ...

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[Tree]:
        """The objects that a label and a field selector choose, as the server has them now."""
        ...

    def patch(self, resource: Resource, namespace: str, name: str, body: Tree) -> Tree:
        """The object after a JSON merge patch; 409 where the patch's `metadata.resourceVersion` is not the object's."""
        ...

    def replace_status(self, resource: Resource, namespace: str, name: str, body: Tree) -> Tree:
        """The object with the body's status; 409 where the body's `metadata.resourceVersion` is not the object's."""
        ...

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Deletes the object and, in the background, what it owns; with a uid only that one. Gone already is fine."""
        ...
