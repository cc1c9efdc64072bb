"""kopf in its own thread and event loop; other threads take snapshots."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections import defaultdict
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import kopf

from synth_operator.kube.api import Resource
from synth_operator.watch.ages import STALE_SECONDS, WATCH_SECONDS, WatchAges
from synth_operator.watch.deleted_pods import DeletedPods
from synth_operator.watch.handlers import WATCHED, ObjectKey, build_settings, register_event_handlers, register_indexes
from synth_operator.watch.session import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from kubernetes import client

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject

Result = TypeVar("Result")
log = logging.getLogger(__name__)

_INACTIVITY_FACTOR: Final = 1.25
"""A watch without any data for this multiple of its duration is dead."""
_MAX_DEPTH: Final = 12_000
"""Recursion limit. The API server takes objects that are nested 10,000 deep, and kopf's parser of JSON recurses: with
Python's limit of 1,000 one such recipe ends the watches of all namespaces."""
_MAX_ANSWER_SECONDS: Final = 10.0
_MAX_PAUSE_SECONDS: Final = 30.0


class NotWatchingError(Exception):
    """The indexes are not complete, after a start or a restart of the watches."""


@dataclass(frozen=True)
class Snapshot:
    """Objects of a sweep in the indexes, at one moment."""

    sweep: SweepObject | None
    jobs: tuple[JobObject, ...]
    pods: tuple[PodObject, ...]
    """Also deleted pods with a message, while their Job exists."""
    recipe: RecipeObject | None
    epoch: int = 0
    """Number of times that the indexes were built before."""


class Watches:
    """Watches from `start` to `stop`; the API ends each watch after `seconds`.

    kopf lists a resource again if the API has compacted the version that its watch continues from. Such a list hides
    deletions, so kopf's indexes would keep deleted objects. The first one therefore restarts kopf with empty indexes.
    """

    def __init__(
        self,
        connection: client.Configuration,
        namespaces: tuple[str, ...],
        enqueue: Callable[[ObjectKey, float], None],
        on_watch_activity: Callable[[str], None],
        seconds: int = WATCH_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._connection = connection
        self._namespaces = namespaces
        self._enqueue = enqueue
        self._on_watch_activity = on_watch_activity
        self._stopped = threading.Event()
        self._restart = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # kopf's, once its indexes are complete
        self._indexes: Mapping[str, Any] = {}
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
        """Return the current state of a sweep in the indexes.

        Raises:
            NotWatchingError: the indexes are not complete.
        """
        return self._call(self._collect_snapshot(namespace, name))

    def find_recipe(self, namespace: str, name: str) -> RecipeObject | None:
        """Return a recipe in the indexes, or None; raises NotWatchingError as `take_snapshot` does."""
        recipe: RecipeObject | None = self._call(self._find_first(Resource.RECIPES.plural, (namespace, name)))
        return recipe

    def list_sweeps(self) -> tuple[SweepObject, ...]:
        """Return all sweeps in the indexes; none while they are not complete."""
        try:
            return self._call(self._collect_sweeps())
        except NotWatchingError:
            return ()

    def list_names(self) -> dict[str, set[str]]:
        """Return the names of all sweeps by namespace; raises NotWatchingError as `take_snapshot` does."""
        return self._call(self._collect_names())

    def _call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        loop = self._loop
        if loop is None:
            coroutine.close()
            raise NotWatchingError
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(_MAX_ANSWER_SECONDS)
        except (RuntimeError, TimeoutError, CancelledError) as error:
            coroutine.close()
            raise NotWatchingError from error

    async def _collect_snapshot(self, namespace: str, name: str) -> Snapshot:
        key = (namespace, name)
        sweep: SweepObject | None = await self._find_first(Resource.SWEEPS.plural, key)
        reference = sweep.spec.recipe_ref if sweep else None
        recipe = await self._find_first(Resource.RECIPES.plural, (namespace, reference.name)) if reference else None
        jobs = tuple(self._indexes[Resource.JOBS.plural].get(key, ()))
        pods = tuple(self._indexes[Resource.PODS.plural].get(key, ()))
        deleted = self._deleted_pods.find(key, jobs, sweep.status.spent_until if sweep else None)
        return Snapshot(sweep, jobs, (*pods, *deleted), recipe, self._epoch)

    async def _find_first(self, index: str, key: tuple[str, str]) -> Any:
        return next(iter(self._indexes[index].get(key, ())), None)

    async def _collect_sweeps(self) -> tuple[SweepObject, ...]:
        return tuple(sweep for store in self._indexes[Resource.SWEEPS.plural].values() for sweep in store)

    async def _collect_names(self) -> dict[str, set[str]]:
        names: defaultdict[str, set[str]] = defaultdict(set)
        for namespace, name in self._indexes[Resource.SWEEPS.plural]:
            names[namespace].add(name)
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
                self._loop = None

    async def _watch(self) -> None:
        self._epoch += 1
        self._ages.reset_lists()
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._open_session)
        kopf.on.startup(registry=registry)(self._keep_indexes)
        register_indexes(registry)
        register_event_handlers(registry, self._enqueue_event, self._deleted_pods)
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
        return open_session(self._connection, self._record_watch_end, self._record_list)

    async def _keep_indexes(self, **indexes: Any) -> None:
        self._indexes = indexes

    def _enqueue_event(self, key: ObjectKey, delay: float) -> None:
        # kopf delivers events only once everything that it listed is in the indexes. So the first event makes snapshots
        # possible: a key left in the queue from before would see a sweep without its recipe or its Jobs, and stop it.
        self._loop = asyncio.get_running_loop()
        self._enqueue(key, delay)

    def _record_watch_end(self, path: str) -> None:
        if self._ages.record_end(path):
            self._on_watch_activity(path.rsplit("/", 1)[-1])

    def _record_list(self, path: str) -> None:
        if not self._ages.record_list(path):
            log.warning("%s was listed again: rebuilding the indexes", path)
            self._restart.set()
