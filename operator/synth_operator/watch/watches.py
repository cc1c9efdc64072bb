"""kopf in its own thread and event loop; other threads take snapshots."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import kopf

from synth_api.version import ENGINE_VERSION
from synth_operator.kube.api import Resource
from synth_operator.kube.owner import find_labelled_owner, name_owner
from synth_operator.kube.pod_object import read_pod
from synth_operator.watch.ages import STALE_SECONDS, WATCH_SECONDS, WatchAges
from synth_operator.watch.cache import ObjectCache
from synth_operator.watch.deleted_pods import DeletedPods
from synth_operator.watch.kopf_setup import WATCHED, ObjectKey, build_registry, build_settings
from synth_operator.watch.session import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kubernetes import client

    from synth_operator.kube.api import JsonObject
    from synth_operator.kube.dataset_object import DatasetObject
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.packed_object import PackedObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject

log = logging.getLogger(__name__)

_INACTIVITY_FACTOR: Final = 1.25
"""A watch without any data for this multiple of its duration is dead."""
_MAX_DEPTH: Final = 12_000
"""Recursion limit. The API server takes objects that are nested 10,000 deep, and kopf's parser of JSON recurses: with
Python's limit of 1,000 one such recipe ends the watches of all namespaces."""
_DEBOUNCE_SECONDS: Final = 0.2
"""Delay after an event of a Job or pod, since these come in bursts."""
_RESOURCES: Final = {resource.plural: resource for resource in WATCHED}
_USERS: Final = {Resource.RECIPES: Resource.SWEEPS, Resource.SWEEPS: Resource.DATASETS}
"""What refers to a resource, and so is looked at after its events."""
_MAX_PAUSE_SECONDS: Final = 30.0


class NotWatchingError(Exception):
    """The cache is not complete, after a start or a restart of the watches."""


@dataclass(frozen=True)
class Snapshot:
    """Objects of a sweep in the cache."""

    sweep: SweepObject | None
    jobs: tuple[JobObject, ...]
    pods: tuple[PodObject, ...]
    """Also deleted pods with a message, while their Job exists."""
    recipe: RecipeObject | None
    epoch: int = 0
    """Number of times that the indexes were built before."""


@dataclass(frozen=True)
class DatasetSnapshot:
    """Objects of a dataset in the cache."""

    dataset: DatasetObject | None
    jobs: tuple[JobObject, ...]
    pods: tuple[PodObject, ...]
    sweeps: Mapping[str, SweepObject]
    """The sweeps of its sources, as far as they exist."""
    recipes: Mapping[str, RecipeObject]
    """The SynthRecipes that these refer to, as far as they exist."""
    epoch: int = 0
    """As that of a sweep."""


class Watches:
    """Watches from `start` to `stop`; the API ends each watch after `seconds`.

    kopf lists a resource again if the API has compacted the version that its watch continues from. Such a list hides
    deletions, so the cache would keep deleted objects. The first one therefore restarts kopf with an empty cache.

    The cache is our own: kopf's indexes let every listed object wait for all others, which takes minutes for thousands.
    """

    def __init__(
        self,
        connection: client.Configuration,
        namespaces: tuple[str, ...],
        enqueue: Callable[[ObjectKey, float], None],
        on_watch_activity: Callable[[str], None],
        fetch: Callable[[Resource, str, str], JsonObject | None],
        seconds: int = WATCH_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._connection = connection
        self._namespaces = namespaces
        self._enqueue = enqueue
        self._on_watch_activity = on_watch_activity
        self._fetch = fetch
        self._stopped = threading.Event()
        self._restart = threading.Event()
        self._cache = ObjectCache(fetch)
        self._unread: set[str] = set()  # paths of the lists that are not read to their end
        self._is_complete = False
        self._epoch = -1
        self._ages = WatchAges(())
        self._deleted_pods = DeletedPods()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)

    def start(self) -> None:
        """Start the thread; events follow once all lists are read."""
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _MAX_DEPTH))
        self._ages = WatchAges(self._list_paths(), stale_seconds=STALE_SECONDS * self._seconds / WATCH_SECONDS)
        self._thread.start()

    def stop(self) -> None:
        """Stop kopf and wait for the end of its thread."""
        self._stopped.set()
        self._restart.set()
        self._thread.join()

    @property
    def problem(self) -> str:
        """One sentence if a watch is stale, else empty."""
        return self._ages.problem

    @property
    def is_alive(self) -> bool:
        """True between start and stop, unless the thread has ended by itself."""
        return self._thread.is_alive()

    def take_snapshot(self, namespace: str, name: str) -> Snapshot:
        """Return the current state of a sweep in the cache.

        Raises:
            NotWatchingError: the cache is not complete.
            ApiError: the API did not answer for an object that is too large for the cache.
        """
        cache, place = self._get_cache(), (namespace, name)
        sweep = cache.find_sweep(place)
        recipe = cache.find_recipe((namespace, sweep.spec.recipe_ref.name)) if sweep and sweep.spec.recipe_ref else None
        jobs, pods = cache.list_children(place)
        is_counting = sweep is not None and sweep.status.completion_time is None
        deleted = self._deleted_pods.find(place, jobs, sweep.status.spent_until if sweep and is_counting else None)
        return Snapshot(sweep, jobs, (*pods, *deleted), recipe, self._epoch)

    def take_dataset_snapshot(self, namespace: str, name: str) -> DatasetSnapshot:
        """Return the current state of a dataset in the cache; raises as `take_snapshot` does."""
        cache, place = self._get_cache(), (namespace, name)
        dataset = cache.find_dataset(place)
        jobs, pods = cache.list_children(place, Resource.DATASETS)
        names = [source.sweep_ref.name for source in dataset.spec.sources] if dataset else []
        sweeps = {one: sweep for one in names if (sweep := cache.find_sweep((namespace, one)))}
        references = (sweep.spec.recipe_ref.name for sweep in sweeps.values() if sweep.spec.recipe_ref)
        recipes = {one: recipe for one in references if (recipe := cache.find_recipe((namespace, one)))}
        return DatasetSnapshot(dataset, jobs, pods, sweeps, recipes, self._epoch)

    def is_settled(self, namespace: str, name: str) -> bool:
        """Return True for a finished sweep without Jobs and pods whose recipe is the one that was planned.

        Raises:
            NotWatchingError: the cache is not complete.
            ApiError: the API did not answer for a recipe that is too large for the cache.
        """
        cache, place = self._get_cache(), (namespace, name)
        packed = cache.find_packed_sweep(place)
        if packed is None or packed.finished is None or any(cache.list_children(place)):
            return False
        if packed.finished.engine_version != ENGINE_VERSION:
            return False
        recipe = cache.find_recipe((namespace, packed.recipe)) if packed.recipe else None
        return recipe is None or recipe.spec.digest == packed.finished.recipe_digest

    def find_recipe(self, namespace: str, name: str) -> RecipeObject | None:
        """Return a recipe in the cache, or None; raises as `take_snapshot` does."""
        return self._get_cache().find_recipe((namespace, name))

    def list_sweeps(self) -> tuple[PackedObject, ...]:
        """Return all sweeps in the cache; none while it is not complete."""
        return self._cache.list_all() if self._is_complete else ()

    def list_datasets(self) -> tuple[PackedObject, ...]:
        """Return all datasets in the cache; none while it is not complete."""
        return self._cache.list_all(Resource.DATASETS) if self._is_complete else ()

    def _get_cache(self) -> ObjectCache:
        if not self._is_complete:
            raise NotWatchingError
        return self._cache

    def list_names(self) -> dict[str, set[str]]:
        """Return the sweeps and datasets that may occupy something, by namespace; raises NotWatchingError.

        They are named as `name_owner` does.
        """
        cache, names = self._get_cache(), defaultdict[str, set[str]](set)
        for packed in cache.list_all():
            if packed.finished is None or any(cache.list_children((packed.namespace, packed.name))):
                names[packed.namespace].add(name_owner(Resource.SWEEPS, packed.name))
        for packed in cache.list_all(Resource.DATASETS):
            names[packed.namespace].add(name_owner(Resource.DATASETS, packed.name))
        return dict(names)

    def _list_paths(self) -> Iterable[str]:
        for resource in WATCHED:
            for namespace in self._namespaces or ("",):
                yield resource.path(namespace)

    def _run(self) -> None:
        pause = 1.0
        while not self._stopped.is_set():
            self._restart.clear()
            try:
                asyncio.run(self._watch())
                pause = 1.0
            except Exception as error:
                log.error("watches ended: %s", error)
                self._stopped.wait(pause)
                pause = min(2 * pause, _MAX_PAUSE_SECONDS)
            finally:
                self._is_complete = False

    async def _watch(self) -> None:
        self._epoch += 1
        self._ages.reset_lists()
        self._cache, self._unread = ObjectCache(self._fetch), set(self._list_paths())
        registry = build_registry()
        kopf.on.login(registry=registry)(self._open_session)
        settings = build_settings()
        settings.watching.server_timeout = self._seconds
        settings.watching.inactivity_timeout = self._seconds * _INACTIVITY_FACTOR
        await kopf.operator(
            registry=registry,
            settings=settings,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._restart,
        )

    async def _open_session(self, **_: Any) -> kopf.AiohttpSession:
        return open_session(self._connection, self)

    def read_page(self, path: str, is_first: bool, page: bytes) -> JsonObject | None:
        """Put a page of a list into the cache; after the last page of all lists, queue what it holds.

        Return what kopf is to read instead: the page without objects, or None for no page of a watched list.
        """
        if is_first and not self._ages.record_list(path):
            log.warning("%s was listed again: rebuilding the cache", path)
            self._restart.set()
        if self._restart.is_set() or path not in self._unread:
            return None
        tree, resource = json.loads(page), _find_resource(path)
        for body in tree["items"]:
            self._put(resource, body)
        if not tree["metadata"].get("continue"):
            self._unread.remove(path)
            if not self._unread:
                self._complete()
        return {"metadata": tree["metadata"], "items": []}

    def _complete(self) -> None:
        # Snapshots are possible from here on: before, a key that is left in the queue would see a sweep without its
        # recipe or its Jobs, and stop it.
        self._is_complete = True
        for resource, place in self._cache.list_places():
            self._enqueue(ObjectKey(resource, *place), 0.0)

    def read_event(self, path: str, kind: str, body: JsonObject) -> None:
        """Put an object of an event into the cache, or remove it, and queue what it concerns."""
        resource = _find_resource(path)
        if kind == "DELETED":
            self._cache.remove(resource, body)
            if resource is Resource.PODS:
                self._keep_deleted_pod(body)
        else:
            self._put(resource, body)
        if self._is_complete:
            for key, delay in self._list_keys(resource, body["metadata"]):
                self._enqueue(key, delay)

    def record_end(self, path: str) -> None:
        """Record that the API ended a watch on schedule."""
        if self._ages.record_end(path):
            self._on_watch_activity(_find_resource(path).plural)

    def _put(self, resource: Resource, body: JsonObject) -> None:
        """Put an object into the cache; one that cannot be read is logged and ends no watch of the others."""
        try:
            self._cache.put(resource, body)
        except Exception:
            metadata = body["metadata"]
            log.exception("%s %s/%s cannot be read", resource.plural, metadata.get("namespace"), metadata.get("name"))

    def _keep_deleted_pod(self, body: JsonObject) -> None:
        """Keep a deleted pod of a sweep; what one of a dataset reported, the next pod of its Job reports again."""
        pod, owner = read_pod(body), find_labelled_owner(body["metadata"].get("labels", {}))
        if pod and owner and owner[0] is Resource.SWEEPS:
            pod = replace(pod, removal_time=datetime.now(UTC).replace(microsecond=0))
            self._deleted_pods.add((body["metadata"]["namespace"], owner[1]), pod)

    def _list_keys(self, resource: Resource, metadata: Mapping[str, Any]) -> Iterator[tuple[ObjectKey, float]]:
        """Yield the keys of the sweeps, recipes and datasets that an event concerns, with their delays."""
        namespace, name = metadata["namespace"], metadata["name"]
        if resource in (Resource.JOBS, Resource.PODS):
            if owner := find_labelled_owner(metadata.get("labels", {})):
                yield ObjectKey(owner[0], namespace, owner[1]), _DEBOUNCE_SECONDS
            return
        yield ObjectKey(resource, namespace, name), 0.0
        if (user := _USERS.get(resource)) is not None:
            for place in self._cache.list_users((namespace, name), resource):
                yield ObjectKey(user, *place), 0.0


def _find_resource(path: str) -> Resource:
    return _RESOURCES[path.rsplit("/", 1)[-1]]
