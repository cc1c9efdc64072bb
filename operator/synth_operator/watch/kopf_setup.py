"""kopf's settings and handlers: the events of watches, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import kopf

from synth_api.jobs.names import SWEEP_LABEL
from synth_operator.kube.api import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.kube.api import JsonObject

WATCHED: Final = (Resource.SWEEPS, Resource.RECIPES, Resource.JOBS, Resource.PODS)

_PAGE_SIZE: Final = 50
"""Objects that one answer to a list holds: two such pages of the largest sweeps fit into the memory at a time."""
_IDLE_SECONDS: Final = 0.5
"""Time after which kopf ends the task that it has for each object with events."""


class ObjectKey(NamedTuple):
    """Key of a sweep or recipe in the work queue."""

    resource: Resource
    namespace: str
    name: str


class _NoDiffBase(kopf.DiffBaseStorage):
    """Storage that keeps nothing: kopf would copy every object at every event, for handlers that do not exist here."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Return an empty essence, so that kopf copies nothing."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Return None, as for an object never seen."""

    def store(self, **_: Any) -> None:
        """Store nothing, neither in annotations nor elsewhere."""


def build_settings() -> kopf.OperatorSettings:
    """Return settings without peering, scanning, Events and annotations by kopf; the server selects by our label.

    Lists come in pages, so that the memory does not grow with their length.
    """
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.2, 0.5, 1, 2, 2, 2, 2)
    settings.watching.connect_timeout = 5
    settings.watching.chunk_size = _PAGE_SIZE
    settings.queueing.idle_timeout = _IDLE_SECONDS
    for resource in (Resource.JOBS, Resource.PODS):
        settings.watching.label_selectors[resource.group, resource.version, resource.plural] = SWEEP_LABEL
    return settings


def register_handlers(registry: kopf.OperatorRegistry, handle: Callable[[Resource, str, JsonObject], None]) -> None:
    """Register a handler for the events of watches; what kopf lists is handled page by page in its session."""
    for resource in WATCHED:
        _register_handler(registry, resource, handle)


def _register_handler(
    registry: kopf.OperatorRegistry, resource: Resource, handle: Callable[[Resource, str, JsonObject], None]
) -> None:
    async def handle_event(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 — kopf's name
        if type is not None:
            handle(resource, type, dict(body))

    selector = (resource.group, resource.version, resource.plural)
    kopf.on.event(*selector, id=f"cache-{resource.plural}", registry=registry)(handle_event)
