"""Cache of the watched objects: filled by the pages of lists and by events, read by reconcile threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, TypeVar

from synth_api.jobs.names import SWEEP_LABEL
from synth_operator.kube.api import Resource
from synth_operator.kube.job_object import read_job
from synth_operator.kube.packed_object import PackedObject, read_recipe, read_sweep
from synth_operator.kube.pod_object import read_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject

Place = tuple[str, str]
"""Namespace and name."""
Read = TypeVar("Read")

_MAX_UNPACKED: Final = 256
"""Sweeps and recipes that are kept unpacked, the last ones that were asked for."""
_PARSERS: Final[dict[Resource, Callable[[Mapping[str, Any]], Any]]] = {
    Resource.SWEEPS: PackedObject.pack,
    Resource.RECIPES: PackedObject.pack,
    Resource.JOBS: read_job,
    Resource.PODS: read_pod,
}


class ObjectCache:
    """Sweeps and recipes packed, Jobs and pods by their sweep. Thread-safe.

    `fetch` reads an object from the API that is too large to be kept.
    """

    def __init__(self, fetch: Callable[[Resource, str, str], Mapping[str, Any] | None]) -> None:
        self._fetch = fetch
        self._lock = threading.RLock()
        self._packed: dict[Resource, dict[Place, PackedObject]] = {Resource.SWEEPS: {}, Resource.RECIPES: {}}
        self._users: dict[Place, set[str]] = {}
        self._children: dict[Resource, dict[Place, dict[str, Any]]] = {Resource.JOBS: {}, Resource.PODS: {}}
        self._parents: dict[tuple[Resource, Place], Place] = {}
        self._unpacked: OrderedDict[tuple[str, int], Any] = OrderedDict()

    def put(self, resource: Resource, body: Mapping[str, Any]) -> None:
        """Add an object, or replace it by another version."""
        parsed = _PARSERS[resource](body)
        with self._lock:
            self.remove(resource, body)
            place = _find_place(body)
            if resource in self._packed:
                self._packed[resource][place] = parsed
                if parsed.recipe:
                    self._users.setdefault((place[0], parsed.recipe), set()).add(place[1])
            elif parsed is not None:
                parent = place[0], body["metadata"]["labels"][SWEEP_LABEL]
                self._children[resource].setdefault(parent, {})[place[1]] = parsed
                self._parents[resource, place] = parent

    def remove(self, resource: Resource, body: Mapping[str, Any]) -> None:
        """Remove an object, if it is there."""
        place = _find_place(body)
        with self._lock:
            if resource in self._packed:
                former = self._packed[resource].pop(place, None)
                if former and former.recipe:
                    _discard(self._users, (place[0], former.recipe), place[1])
            elif (parent := self._parents.pop((resource, place), None)) is not None:
                children = self._children[resource][parent]
                del children[place[1]]
                if not children:
                    del self._children[resource][parent]

    def find_sweep(self, place: Place) -> SweepObject | None:
        """Return a sweep, or None if there is none."""
        return self._find(Resource.SWEEPS, place, read_sweep)

    def find_recipe(self, place: Place) -> RecipeObject | None:
        """Return a recipe, or None if there is none."""
        return self._find(Resource.RECIPES, place, read_recipe)

    def find_packed_sweep(self, place: Place) -> PackedObject | None:
        """Return a sweep as it is kept, or None if there is none."""
        return self._packed[Resource.SWEEPS].get(place)

    def list_packed_sweeps(self) -> tuple[PackedObject, ...]:
        """Return all sweeps as they are kept."""
        with self._lock:
            return tuple(self._packed[Resource.SWEEPS].values())

    def list_users(self, recipe: Place) -> tuple[Place, ...]:
        """Return the sweeps that refer to a recipe."""
        with self._lock:
            return tuple((recipe[0], name) for name in self._users.get(recipe, ()))

    def list_children(self, sweep: Place) -> tuple[tuple[JobObject, ...], tuple[PodObject, ...]]:
        """Return the Jobs and pods of a sweep."""
        with self._lock:
            jobs, pods = (self._children[kind].get(sweep, {}) for kind in (Resource.JOBS, Resource.PODS))
            return tuple(jobs.values()), tuple(pods.values())

    def list_places(self) -> set[tuple[Resource, Place]]:
        """Return the places of all sweeps and recipes, and of sweeps that only Jobs and pods have the label of."""
        with self._lock:
            there = {(resource, place) for resource, objects in self._packed.items() for place in objects}
            return there | {(Resource.SWEEPS, sweep) for sweep in self._parents.values()}

    def _find(self, resource: Resource, place: Place, read: Callable[[Mapping[str, Any], str], Read]) -> Read | None:
        packed = self._packed[resource].get(place)
        if packed is None:
            return None
        key = packed.uid, packed.version
        with self._lock:
            if key in self._unpacked:
                self._unpacked.move_to_end(key)
                known: Read = self._unpacked[key]
                return known
        body = packed.unpack()
        if body is None:
            whole = self._fetch(resource, *place)
            return read(whole, packed.problem) if whole else None
        found = read(body, packed.problem)
        with self._lock:
            self._unpacked[key] = found
            if len(self._unpacked) > _MAX_UNPACKED:
                self._unpacked.popitem(last=False)
        return found


def _find_place(body: Mapping[str, Any]) -> Place:
    metadata = body["metadata"]
    return metadata["namespace"], metadata["name"]


def _discard(sets: dict[Place, set[str]], key: Place, member: str) -> None:
    sets[key].discard(member)
    if not sets[key]:
        del sets[key]
