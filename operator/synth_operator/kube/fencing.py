"""Fencing: the API with writes for the leader only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_operator.kube.api import Api, JsonObject, Resource
    from synth_operator.kube.leader_election import Leadership


class FencedApi:
    """`Api` whose writes raise NotLeadingError, without a request, once the lease may be lost."""

    def __init__(self, api: Api, leadership: Leadership) -> None:
        self._api = api
        self._leadership = leadership

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        """Create an object as `Api.create` does, if this replica leads."""
        self._leadership.ensure_leading()
        return self._api.create(resource, namespace, body)

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        """Read an object as `Api.read` does."""
        return self._api.read(resource, namespace, name)

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """List objects as `Api.find` does."""
        return self._api.find(resource, namespace, labels=labels, fields=fields)

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """Patch an object as `Api.patch` does, if this replica leads."""
        self._leadership.ensure_leading()
        return self._api.patch(resource, namespace, name, body)

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """Replace a status as `Api.replace_status` does, if this replica leads."""
        self._leadership.ensure_leading()
        return self._api.replace_status(resource, namespace, name, body)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object as `Api.delete` does, if this replica leads."""
        self._leadership.ensure_leading()
        self._api.delete(resource, namespace, name, uid)
