"""The API as only the leader may write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_operator.kube.api import Api, Resource, Tree
    from synth_operator.kube.leader_election import Leadership


class FencedApi:
    """`Api` whose writes raise NotLeadingError, unsent, once the lease could not be renewed in time."""

    def __init__(self, api: Api, leadership: Leadership) -> None:
        self._api = api
        self._leadership = leadership

    def create(self, resource: Resource, namespace: str, body: Tree) -> Tree:
        """See `Api`."""
        self._leadership.require()
        return self._api.create(resource, namespace, body)

    def read(self, resource: Resource, namespace: str, name: str) -> Tree | None:
        """See `Api`."""
        return self._api.read(resource, namespace, name)

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[Tree]:
        """See `Api`."""
        return self._api.find(resource, namespace, labels=labels, fields=fields)

    def patch(self, resource: Resource, namespace: str, name: str, body: Tree) -> Tree:
        """See `Api`."""
        self._leadership.require()
        return self._api.patch(resource, namespace, name, body)

    def replace_status(self, resource: Resource, namespace: str, name: str, body: Tree) -> Tree:
        """See `Api`."""
        self._leadership.require()
        return self._api.replace_status(resource, namespace, name, body)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """See `Api`."""
        self._leadership.require()
        self._api.delete(resource, namespace, name, uid)
