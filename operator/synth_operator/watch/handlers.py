"""kopf handlers: indexes of the watched objects, and a key in the work queue for every event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import kopf

from synth_api.jobs.names import SWEEP_LABEL
from synth_operator.kube.api import Resource
from synth_operator.kube.job_object import read_job
from synth_operator.kube.pod_object import read_pod
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.watch.deleted_pods import DeletedPods

WATCHED: Final = (Resource.SWEEPS, Resource.RECIPES, Resource.JOBS, Resource.PODS)
REFERENCES: Final = "references"
"""Index of the sweeps that reference a recipe."""

_OWN_LABELS: Final = {SWEEP_LABEL: kopf.PRESENT}
_DEBOUNCE_SECONDS: Final = 0.2
"""Delay after an event of a Job or pod, since these come in bursts."""


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
    """Return settings without peering, scanning, Events and annotations by kopf; the server selects by our label."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.2, 0.5, 1, 2, 2, 2, 2)
    settings.watching.connect_timeout = 5
    for resource in (Resource.JOBS, Resource.PODS):
        settings.watching.label_selectors[resource.group, resource.version, resource.plural] = SWEEP_LABEL
    return settings


def register_indexes(registry: kopf.OperatorRegistry) -> None:
    """Register the indexes: Jobs and pods by their sweep, sweeps and recipes by their own name."""

    def by_sweep(parse: Callable[[dict[str, Any]], object | None]) -> Callable[..., Any]:
        async def index(body: kopf.Body, namespace: str, labels: kopf.Labels, **_: Any) -> dict[Any, object]:
            read = parse(dict(body))
            return {(namespace, labels[SWEEP_LABEL]): read} if read else {}

        return index

    def by_name(parse: Callable[[dict[str, Any]], object]) -> Callable[..., Any]:
        async def index(body: kopf.Body, namespace: str, name: str, **_: Any) -> dict[Any, object]:
            return {(namespace, name): parse(dict(body))}

        return index

    async def references(spec: kopf.Spec, namespace: str, name: str, **_: Any) -> dict[Any, object]:
        reference = spec.get("recipeRef") or {}
        return {(namespace, reference.get("name", "")): name}

    _register_index(registry, Resource.SWEEPS, Resource.SWEEPS.plural)(by_name(SweepObject.from_json))
    _register_index(registry, Resource.SWEEPS, REFERENCES)(references)
    _register_index(registry, Resource.RECIPES, Resource.RECIPES.plural)(by_name(RecipeObject.from_json))
    _register_index(registry, Resource.JOBS, Resource.JOBS.plural, _OWN_LABELS)(by_sweep(read_job))
    _register_index(registry, Resource.PODS, Resource.PODS.plural, _OWN_LABELS)(by_sweep(read_pod))


def register_event_handlers(
    registry: kopf.OperatorRegistry,
    enqueue: Callable[[ObjectKey, float], None],
    deleted_pods: DeletedPods,
) -> None:
    """Register handlers that queue the sweep or recipe of every event and keep deleted pods."""

    async def enqueue_object(resource: kopf.Resource, namespace: str, name: str, **_: Any) -> None:
        kind = Resource.SWEEPS if resource.plural == Resource.SWEEPS.plural else Resource.RECIPES
        enqueue(ObjectKey(kind, namespace, name), 0.0)

    async def enqueue_referring_sweeps(namespace: str, name: str, references: kopf.Index[Any, str], **_: Any) -> None:
        for sweep in tuple(references.get((namespace, name), ())):
            enqueue(ObjectKey(Resource.SWEEPS, namespace, sweep), 0.0)

    async def enqueue_owner(namespace: str, labels: kopf.Labels, **_: Any) -> None:
        enqueue(ObjectKey(Resource.SWEEPS, namespace, labels[SWEEP_LABEL]), _DEBOUNCE_SECONDS)

    async def keep_deleted_pod(namespace: str, labels: kopf.Labels, body: kopf.Body, **event: Any) -> None:
        if event["type"] == "DELETED":
            pod = read_pod(dict(body))
            if pod:
                pod = replace(pod, removal_time=datetime.now(UTC).replace(microsecond=0))
                deleted_pods.add((namespace, labels[SWEEP_LABEL]), pod)

    _register_event(registry, Resource.SWEEPS)(enqueue_object)
    _register_event(registry, Resource.RECIPES)(enqueue_object)
    _register_event(registry, Resource.RECIPES, "referring")(enqueue_referring_sweeps)
    _register_event(registry, Resource.PODS, "end", _OWN_LABELS)(keep_deleted_pod)
    for resource in (Resource.JOBS, Resource.PODS):
        _register_event(registry, resource, labels=_OWN_LABELS)(enqueue_owner)


def _register_index(
    registry: kopf.OperatorRegistry, resource: Resource, name: str, labels: dict[str, Any] | None = None
) -> Callable[..., Any]:
    selector = (resource.group, resource.version, resource.plural)
    return kopf.index(*selector, id=name, labels=labels, registry=registry)


def _register_event(
    registry: kopf.OperatorRegistry, resource: Resource, name: str = "queue", labels: dict[str, Any] | None = None
) -> Callable[..., Any]:
    selector = (resource.group, resource.version, resource.plural)
    return kopf.on.event(*selector, id=f"{name}-{resource.plural}", labels=labels, registry=registry)
