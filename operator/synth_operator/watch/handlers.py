"""kopf's part: indexes of what is watched, and a word to the queue at every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import kopf

from synth_api.jobs.names import SWEEP_LABEL
from synth_operator.kube.api import Resource
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.watch.deleted_pod_messages import LastWords

WATCHED: Final = (Resource.SWEEPS, Resource.RECIPES, Resource.JOBS, Resource.PODS)
REFERENCES: Final = "references"
"""Index of the sweeps that name a recipe."""

_OURS: Final = {SWEEP_LABEL: kopf.PRESENT}
_SETTLE: Final = 0.2
"""Seconds for which events of Jobs and pods are gathered: they come in swarms."""


class ObjectKey(NamedTuple):
    """What a worker looks after: a sweep or a recipe."""

    resource: Resource
    namespace: str
    name: str


class _NothingKept(kopf.DiffBaseStorage):
    """kopf would copy every object at every event, to tell handlers that we do not have what changed in it."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """None."""

    def store(self, **_: Any) -> None:
        """Nowhere."""


def settings() -> kopf.OperatorSettings:
    """No peering, no scanning, no events and no annotations by kopf; our label selected at the server."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.scanning.disabled = True
    chosen.persistence.diffbase_storage = _NothingKept()
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 5
    chosen.networking.error_backoffs = (0.2, 0.5, 1, 2, 2, 2, 2)
    chosen.watching.connect_timeout = 5
    for resource in (Resource.JOBS, Resource.PODS):
        chosen.watching.label_selectors[resource.group, resource.version, resource.plural] = SWEEP_LABEL
    return chosen


def index_all(registry: kopf.OperatorRegistry) -> None:
    """Indexes by the sweep that something belongs to, recipes by themselves."""

    def by_sweep(read: Callable[[dict[str, Any]], object]) -> Callable[..., Any]:
        async def index(body: kopf.Body, namespace: str, labels: kopf.Labels, **_: Any) -> dict[Any, object]:
            return {(namespace, labels[SWEEP_LABEL]): read(dict(body))}

        return index

    def by_name(read: Callable[[dict[str, Any]], object]) -> Callable[..., Any]:
        async def index(body: kopf.Body, namespace: str, name: str, **_: Any) -> dict[Any, object]:
            return {(namespace, name): read(dict(body))}

        return index

    async def references(spec: kopf.Spec, namespace: str, name: str, **_: Any) -> dict[Any, object]:
        reference = spec.get("recipeRef") or {}
        return {(namespace, reference.get("name", "")): name}

    _index(registry, Resource.SWEEPS, Resource.SWEEPS.plural)(by_name(SweepObject.of))
    _index(registry, Resource.SWEEPS, REFERENCES)(references)
    _index(registry, Resource.RECIPES, Resource.RECIPES.plural)(by_name(RecipeObject.of))
    _index(registry, Resource.JOBS, Resource.JOBS.plural, _OURS)(by_sweep(JobObject.of))
    _index(registry, Resource.PODS, Resource.PODS.plural, _OURS)(by_sweep(PodObject.of))


def notify_all(registry: kopf.OperatorRegistry, add: Callable[[ObjectKey, float], None], last_words: LastWords) -> None:
    """Every event says which sweep or recipe is to be looked at; that of a pod's end, what it said."""

    async def named(resource: kopf.Resource, namespace: str, name: str, **_: Any) -> None:
        kind = Resource.SWEEPS if resource.plural == Resource.SWEEPS.plural else Resource.RECIPES
        add(ObjectKey(kind, namespace, name), 0.0)

    async def referring(namespace: str, name: str, references: kopf.Index[Any, str], **_: Any) -> None:
        for sweep in tuple(references.get((namespace, name), ())):
            add(ObjectKey(Resource.SWEEPS, namespace, sweep), 0.0)

    async def child(namespace: str, labels: kopf.Labels, **_: Any) -> None:
        add(ObjectKey(Resource.SWEEPS, namespace, labels[SWEEP_LABEL]), _SETTLE)

    async def end(namespace: str, labels: kopf.Labels, body: kopf.Body, **event: Any) -> None:
        if event["type"] == "DELETED":
            last_words.add((namespace, labels[SWEEP_LABEL]), PodObject.of(dict(body)))

    _event(registry, Resource.SWEEPS)(named)
    _event(registry, Resource.RECIPES)(named)
    _event(registry, Resource.RECIPES, "referring")(referring)
    _event(registry, Resource.PODS, "end", _OURS)(end)
    for resource in (Resource.JOBS, Resource.PODS):
        _event(registry, resource, labels=_OURS)(child)


def _index(
    registry: kopf.OperatorRegistry, resource: Resource, name: str, labels: dict[str, Any] | None = None
) -> Callable[..., Any]:
    place = (resource.group, resource.version, resource.plural)
    return kopf.index(*place, id=name, labels=labels, registry=registry)


def _event(
    registry: kopf.OperatorRegistry, resource: Resource, name: str = "queue", labels: dict[str, Any] | None = None
) -> Callable[..., Any]:
    place = (resource.group, resource.version, resource.plural)
    return kopf.on.event(*place, id=f"{name}-{resource.plural}", labels=labels, registry=registry)
