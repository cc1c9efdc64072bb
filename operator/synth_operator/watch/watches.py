"""kopf in a thread of its own, with its own event loop; everybody else asks for snapshots."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import kopf

from synth_operator.kube.api import Resource
from synth_operator.watch.ages import DEAF_SECONDS, WATCH_SECONDS, WatchAges
from synth_operator.watch.deleted_pod_messages import LastWords
from synth_operator.watch.handlers import WATCHED, ObjectKey, index_all, notify_all, settings
from synth_operator.watch.session import session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from kubernetes import client

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)

_INACTIVE: Final = 1.25
"""Share of a watch's time after which silence means that nobody is there."""
_ANSWER_SECONDS: Final = 10.0
_LONGEST_PAUSE: Final = 30.0


class NotWatchingError(Exception):
    """The indexes are not filled (again) yet."""


@dataclass(frozen=True)
class Snapshot:
    """What the watches know of a sweep, at one moment."""

    sweep: SweepObject | None
    jobs: tuple[JobObject, ...]
    pods: tuple[PodObject, ...]
    """Those too that are gone and said something, while their Job is there."""
    recipe: RecipeObject | None


class Watches:
    """Watches from `start` to `stop`; the API ends each watch after `seconds`.

    A list that is made again, because the API had forgotten how far a watch was, hides what was deleted meanwhile;
    kopf's indexes would keep it. So the first such list ends kopf's life and another one begins, with empty indexes.
    """

    def __init__(
        self,
        connection: client.Configuration,
        namespaces: tuple[str, ...],
        add: Callable[[ObjectKey, float], None],
        heard: Callable[[str], None],
        seconds: int = WATCH_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._connection = connection
        self._namespaces = namespaces
        self._add = add
        self._report = heard
        self._ended = threading.Event()
        self._again = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # kopf's, once its indexes are filled
        self._indexes: Mapping[str, Any] = {}
        self._ages = WatchAges(())
        self._last_words = LastWords()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)

    def start(self) -> None:
        """Returns at once; events follow when all lists are read."""
        self._ages = WatchAges(self._paths(), deaf=DEAF_SECONDS * self._seconds / WATCH_SECONDS)
        self._thread.start()

    def stop(self) -> None:
        """Returns when kopf has ended."""
        self._ended.set()
        self._again.set()
        self._thread.join()

    @property
    def problem(self) -> str:
        """One sentence when a watch is deaf or kopf is not alive."""
        return self._ages.problem if self._thread.is_alive() else "the watches have ended"

    def snapshot(self, namespace: str, name: str) -> Snapshot:
        """What is known of a sweep now.

        Raises:
            NotWatchingError: the indexes are not filled yet.
        """
        return self._ask(self._snapshot(namespace, name))

    def recipe(self, namespace: str, name: str) -> RecipeObject | None:
        """A recipe as known now; raises as `snapshot`."""
        recipe: RecipeObject | None = self._ask(self._first(Resource.RECIPES.plural, (namespace, name)))
        return recipe

    def sweeps(self) -> tuple[SweepObject, ...]:
        """All sweeps as known now, none while the indexes are not filled."""
        try:
            return self._ask(self._all())
        except NotWatchingError:
            return ()

    def _ask(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        loop = self._loop
        if loop is None:
            question.close()
            raise NotWatchingError
        try:
            return asyncio.run_coroutine_threadsafe(question, loop).result(_ANSWER_SECONDS)
        except (RuntimeError, TimeoutError, CancelledError) as error:
            question.close()
            raise NotWatchingError from error

    async def _snapshot(self, namespace: str, name: str) -> Snapshot:
        key = (namespace, name)
        sweep: SweepObject | None = await self._first(Resource.SWEEPS.plural, key)
        reference = sweep.spec.recipe_ref if sweep else None
        recipe = await self._first(Resource.RECIPES.plural, (namespace, reference.name)) if reference else None
        jobs = tuple(self._indexes[Resource.JOBS.plural].get(key, ()))
        pods = tuple(self._indexes[Resource.PODS.plural].get(key, ()))
        return Snapshot(sweep, jobs, (*pods, *self._last_words.of(key, jobs)), recipe)

    async def _first(self, index: str, key: tuple[str, str]) -> Any:
        return next(iter(self._indexes[index].get(key, ())), None)

    async def _all(self) -> tuple[SweepObject, ...]:
        return tuple(sweep for store in self._indexes[Resource.SWEEPS.plural].values() for sweep in store)

    def _paths(self) -> Iterable[str]:
        for resource in WATCHED:
            for namespace in self._namespaces or ("",):
                yield resource.path(namespace)

    def _run(self) -> None:
        pause = 1.0
        while not self._ended.is_set():
            self._again.clear()
            try:
                asyncio.run(self._watch())
                pause = 1.0
            except Exception as error:
                log.error("watches ended: %s", error)
                self._ended.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            finally:
                self._loop = None

    async def _watch(self) -> None:
        self._ages.begin()
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        kopf.on.startup(registry=registry)(self._started)
        index_all(registry)
        notify_all(registry, self._notified, self._last_words)
        chosen = settings()
        chosen.watching.server_timeout = self._seconds
        chosen.watching.inactivity_timeout = self._seconds * _INACTIVE
        await kopf.operator(
            registry=registry,
            settings=chosen,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._again,
        )

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        return session(self._connection, self._watched, self._listed)

    async def _started(self, **indexes: Any) -> None:
        self._indexes = indexes

    def _notified(self, item: ObjectKey, delay: float) -> None:
        # kopf holds events back until everything it listed is in the indexes. What was still in the queue from before
        # would otherwise see a sweep without its recipe or its Jobs, and stop it.
        self._loop = asyncio.get_running_loop()
        self._add(item, delay)

    def _watched(self, path: str) -> None:
        if self._ages.heard(path):
            self._report(path.rsplit("/", 1)[-1])

    def _listed(self, path: str) -> None:
        if not self._ages.listed(path):
            log.warning("%s was listed anew: the indexes are built again", path)
            self._again.set()
