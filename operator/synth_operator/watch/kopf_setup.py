"""What kopf watches, and how."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import kopf

from synth_api.jobs.names import JOB_LABEL
from synth_operator.kube.api import Resource

WATCHED: Final = (Resource.SWEEPS, Resource.RECIPES, Resource.DATASETS, Resource.JOBS, Resource.PODS)

_PAGE_SIZE: Final = 50
"""Objects that one answer to a list holds: two such pages of the largest sweeps fit into the memory at a time."""


class ObjectKey(NamedTuple):
    """Key of a sweep, recipe or dataset in the work queue."""

    resource: Resource
    namespace: str
    name: str


def build_settings() -> kopf.OperatorSettings:
    """Return settings without peering, scanning, Events and annotations by kopf; the server selects by our label.

    Lists come in pages, so that the memory does not grow with their length.
    """
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.2, 0.5, 1, 2, 2, 2, 2)
    settings.watching.connect_timeout = 5
    settings.watching.chunk_size = _PAGE_SIZE
    for resource in (Resource.JOBS, Resource.PODS):
        settings.watching.label_selectors[resource.group, resource.version, resource.plural] = JOB_LABEL
    return settings


def build_registry() -> kopf.OperatorRegistry:
    """Return a registry of what kopf watches. It calls no handler: its session takes the objects."""
    registry = kopf.OperatorRegistry()
    for resource in WATCHED:
        selector = (resource.group, resource.version, resource.plural)
        kopf.on.event(*selector, id=f"watch-{resource.plural}", registry=registry)(_ignore_event)
    return registry


def _ignore_event(**_: Any) -> None:
    pass
