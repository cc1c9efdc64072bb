"""The Kubernetes API as the operator uses it: six calls on nine resources."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Protocol

from synth_api.resources.base import GROUP, VERSION

JsonObject = dict[str, Any]
"""An object of the API as JSON."""

NAMESPACE_TERMINATING: Final = "NamespaceTerminating"
"""Cause of the refusal to create anything in a namespace that is being deleted."""

CONFLICT: Final = 409
NOT_FOUND: Final = 404


class Resource(Enum):
    """Resources that the operator uses; webhooks are the cluster's, the others are namespaced."""

    SWEEPS = (GROUP, VERSION, "synthsweeps", "SynthSweep")
    DATASETS = (GROUP, VERSION, "synthdatasets", "SynthDataset")
    RECIPES = (GROUP, VERSION, "synthrecipes", "SynthRecipe")
    JOBS = ("batch", "v1", "jobs", "Job")
    PODS = ("", "v1", "pods", "Pod")
    INPUTS = ("", "v1", "configmaps", "ConfigMap")
    EVENTS = ("", "v1", "events", "Event")
    LEASES = ("coordination.k8s.io", "v1", "leases", "Lease")
    WEBHOOKS = (
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
    )

    def __init__(self, group: str, version: str, plural: str, kind: str) -> None:
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects: `batch/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Return the URL path of an object, of all objects in a namespace, or of those in all namespaces."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        parts = [root, namespace and f"namespaces/{namespace}", self.plural, name, subresource]
        return "/".join(part for part in parts if part)


class ApiError(Exception):
    """The API refused a request, or did not answer.

    `code` is the HTTP status, None without an answer; `reason` and `message` are those of the answer's Status object
    (reasons: `AlreadyExists`, `Conflict`, `Forbidden`, `Invalid`), `causes` the reasons of its details.
    """

    def __init__(self, code: int | None, reason: str, message: str, causes: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code or 'no answer'} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes


class Api(Protocol):
    """Each call sends one request and raises ApiError if it fails, except as documented."""

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        """Create an object and return it; the code is 409 if its name is taken."""
        ...

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        """Return the object, or None if it does not exist."""
        ...

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """List the objects that match a label selector and a field selector, as the server has them now."""
        ...

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """Apply a JSON merge patch and return the object; 409 if the patch has another `metadata.resourceVersion`."""
        ...

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """Replace the status and return the object; 409 if the body has another `metadata.resourceVersion`."""
        ...

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Delete the object and, in the background, its dependents; with `uid` only if it has that uid.

        An object that does not exist, or has another uid, is no error.
        """
        ...


def find_by_name(api: Api, resource: Resource, namespace: str, name: str) -> JsonObject | None:
    """Return an object, or None if it does not exist, by a list: the operator may list recipes, but not get one."""
    return next(iter(api.find(resource, namespace, fields=f"metadata.name={name}")), None)
