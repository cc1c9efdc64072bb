"""Cache of the watched objects: filled by the pages of lists and by events, read by reconcile threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.job_object import read_job
from synth_operator.kube.owner import find_labelled_owner
from synth_operator.kube.packed_object import Kind, PackedObject, read_object
from synth_operator.kube.pod_object import read_pod
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

Place = tuple[str, str]
"""Namespace and name."""
Object = tuple[Resource, Place]

_MAX_UNPACKED: Final = 256
"""Sweeps, recipes and datasets that are kept unpacked, the last ones that were asked for."""
_PARSERS: Final[dict[Resource, Callable[[Mapping[str, Any]], Any]]] = {
    Resource.SWEEPS: PackedObject.pack,
    Resource.RECIPES: PackedObject.pack,
    Resource.DATASETS: PackedObject.pack,
    Resource.JOBS: read_job,
    Resource.PODS: read_pod,
}


class ObjectCache:
    """Sweeps, recipes and datasets packed, Jobs and pods by their owner. Thread-safe.

    `fetch` reads an object from the API that is too large to be kept.
    """

    def __init__(self, fetch: Callable[[Resource, str, str], Mapping[str, Any] | None]) -> None:
        self._fetch = fetch
        self._lock = threading.RLock()
        self._packed: dict[Resource, dict[Place, PackedObject]] = {
            resource: {} for resource in (Resource.SWEEPS, Resource.RECIPES, Resource.DATASETS)
        }
        self._users: dict[Object, set[str]] = {}
        self._children: dict[Resource, dict[Object, dict[str, Any]]] = {Resource.JOBS: {}, Resource.PODS: {}}
        self._parents: dict[Object, Object] = {}
        self._unpacked: OrderedDict[tuple[str, int], Any] = OrderedDict()

    def put(self, resource: Resource, body: Mapping[str, Any]) -> None:
        """Add an object, or replace it by another version."""
        parsed = _PARSERS[resource](body)
        with self._lock:
            self.remove(resource, body)
            place = _find_place(body)
            if resource in self._packed:
                self._packed[resource][place] = parsed
                for referred in _list_references(parsed):
                    self._users.setdefault(referred, set()).add(place[1])
            elif parsed is not None and (owner := find_labelled_owner(body["metadata"].get("labels", {}))):
                parent = owner[0], (place[0], owner[1])
                self._children[resource].setdefault(parent, {})[place[1]] = parsed
                self._parents[resource, place] = parent

    def remove(self, resource: Resource, body: Mapping[str, Any]) -> None:
        """Remove an object, if it is there."""
        place = _find_place(body)
        with self._lock:
            if resource in self._packed:
                former = self._packed[resource].pop(place, None)
                for referred in _list_references(former) if former else ():
                    _discard(self._users, referred, place[1])
            elif (parent := self._parents.pop((resource, place), None)) is not None:
                children = self._children[resource][parent]
                del children[place[1]]
                if not children:
                    del self._children[resource][parent]

    def find_sweep(self, place: Place) -> SweepObject | None:
        """Return a sweep, or None if there is none."""
        return self._find(Resource.SWEEPS, place, SweepObject)

    def find_recipe(self, place: Place) -> RecipeObject | None:
        """Return a recipe, or None if there is none."""
        return self._find(Resource.RECIPES, place, RecipeObject)

    def find_dataset(self, place: Place) -> DatasetObject | None:
        """Return a dataset, or None if there is none."""
        return self._find(Resource.DATASETS, place, DatasetObject)

    def find_packed_sweep(self, place: Place) -> PackedObject | None:
        """Return a sweep as it is kept, or None if there is none."""
        return self._packed[Resource.SWEEPS].get(place)

    def list_all(self, resource: Resource = Resource.SWEEPS) -> tuple[PackedObject, ...]:
        """Return all sweeps, or all datasets, as they are kept."""
        with self._lock:
            return tuple(self._packed[resource].values())

    def list_users(self, place: Place, resource: Resource = Resource.RECIPES) -> tuple[Place, ...]:
        """Return the sweeps that refer to a recipe, or the datasets that refer to a sweep."""
        with self._lock:
            return tuple((place[0], name) for name in self._users.get((resource, place), ()))

    def list_children(
        self, place: Place, owner: Resource = Resource.SWEEPS
    ) -> tuple[tuple[JobObject, ...], tuple[PodObject, ...]]:
        """Return the Jobs and pods of a sweep or dataset."""
        with self._lock:
            jobs, pods = (self._children[kind].get((owner, place), {}) for kind in (Resource.JOBS, Resource.PODS))
            return tuple(jobs.values()), tuple(pods.values())

    def list_places(self) -> set[Object]:
        """Return the places of all sweeps, recipes and datasets, and of those that only children are labelled with."""
        with self._lock:
            there = {(resource, place) for resource, objects in self._packed.items() for place in objects}
            return there | set(self._parents.values())

    def _find(self, resource: Resource, place: Place, kind: type[Kind]) -> Kind | None:
        packed = self._packed[resource].get(place)
        if packed is None:
            return None
        key = packed.uid, packed.version
        with self._lock:
            if key in self._unpacked:
                self._unpacked.move_to_end(key)
                known: Kind = self._unpacked[key]
                return known
        body = packed.unpack()
        if body is None:
            whole = self._fetch(resource, *place)
            return read_object(kind, whole, packed.problem) if whole else None
        found = read_object(kind, body, packed.problem)
        with self._lock:
            self._unpacked[key] = found
            if len(self._unpacked) > _MAX_UNPACKED:
                self._unpacked.popitem(last=False)
        return found


def _find_place(body: Mapping[str, Any]) -> Place:
    metadata = body["metadata"]
    return metadata["namespace"], metadata["name"]


def _list_references(packed: PackedObject) -> Iterator[Object]:
    """Yield the recipe that a sweep refers to, or the sweeps that a dataset refers to."""
    if packed.recipe:
        yield Resource.RECIPES, (packed.namespace, packed.recipe)
    for sweep in packed.sweeps:
        yield Resource.SWEEPS, (packed.namespace, sweep)


def _discard(sets: dict[Object, set[str]], key: Object, member: str) -> None:
    sets[key].discard(member)
    if not sets[key]:
        del sets[key]
