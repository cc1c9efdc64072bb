"""Reconciler: one pass over one sweep, recipe or dataset observes, decides and applies."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from synth_operator.decide.actions import Action, EmitEvent
from synth_operator.decide.context import Context
from synth_operator.decide.dataset_context import DatasetContext
from synth_operator.decide.decide import decide
from synth_operator.decide.decide_dataset import decide_dataset
from synth_operator.decide.observed_state import ObservedDataset, ObservedState
from synth_operator.kube.api import CONFLICT, NOT_FOUND, Api, ApiError, Resource
from synth_operator.reconcile.apply import AnyOwner, StaleError, apply
from synth_operator.reconcile.observe import Observer, OwnerMemory
from synth_operator.reconcile.recipes import build_recipe_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import ObservedJobs
    from synth_operator.kube.dataset_object import DatasetObject
    from synth_operator.kube.owner import Owner
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.reconcile.checker import Checker
    from synth_operator.reconcile.limiter import Limiter
    from synth_operator.watch.kopf_setup import ObjectKey
    from synth_operator.watch.watches import DatasetSnapshot, Snapshot, Watches

log = logging.getLogger(__name__)

_AFTER_REFUSAL_SECONDS: Final = 1.0
"""Delay of the pass that observes the API's refusal."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Reconciler:
    """Reconciles one object at a time per key; several threads may reconcile different keys."""

    def __init__(
        self,
        api: Api,
        watches: Watches,
        checker: Checker,
        limiter: Limiter,
        configuration: Configuration,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._api = api
        self._watches = watches
        self._limiter = limiter
        self._configuration = configuration
        self._now = now
        self._checker = checker
        self._observer = Observer(api)
        self._memories: dict[ObjectKey, OwnerMemory] = {}
        self._written: dict[ObjectKey, Owner] = {}  # until the watch delivers this version or a later one
        self._plans: dict[ObjectKey, str] = {}

    def reconcile(self, key: ObjectKey) -> float | None:
        """Run one pass; return the seconds after which another one is due even without an event, or None.

        Raises:
            StaleError: the observed state is out of date; retry soon.
            ApiError: the API refused a request or did not answer; retry later.
            NotWatchingError: the watches are not complete; retry later.
            CheckPendingError: the check of the sweep or recipe has not ended; its end queues the key again.
        """
        if key.resource is Resource.SWEEPS:
            return self._reconcile_sweep(key)
        if key.resource is Resource.DATASETS:
            return self._reconcile_dataset(key)
        self._reconcile_recipe(key)
        return None

    def build_log_fields(self, key: ObjectKey) -> dict[str, str]:
        """Return the fields of each log line about a sweep, recipe or dataset."""
        if key.resource is Resource.RECIPES:
            return {"namespace": key.namespace, "recipe": key.name}
        if key.resource is Resource.DATASETS:
            return {"namespace": key.namespace, "dataset": key.name}
        return {"namespace": key.namespace, "sweep": key.name, "plan": self._plans.get(key, "")[:8]}

    def _reconcile_sweep(self, key: ObjectKey) -> float | None:
        if self._watches.is_settled(key.namespace, key.name):
            self._forget(key)
            self._limiter.remove(key, (), self._now())
            return None
        snapshot = self._watches.take_snapshot(key.namespace, key.name)
        if snapshot.sweep is None:
            self._forget(key)
            self._limiter.remove(key, snapshot.pods, self._now())
            return None
        sweep = self._select_newer(key, snapshot.sweep)
        self._limiter.register(sweep, snapshot.jobs, snapshot.pods, snapshot.epoch, self._now())
        try:
            return self._continue_sweep(key, sweep, snapshot)
        finally:
            self._limiter.end_pass(key)

    def _continue_sweep(self, key: ObjectKey, sweep: SweepObject, snapshot: Snapshot) -> float | None:
        memory = self._memories.setdefault(key, OwnerMemory())
        now = self._now()
        validation = self._checker.check_sweep(key, sweep, snapshot.recipe)
        found = self._observer.observe(sweep, snapshot.jobs, snapshot.pods, memory, now)
        observed = ObservedState(validation=validation, recipe=snapshot.recipe, **vars(found))
        allowance = self._limiter.allow(Context(sweep, observed, self._configuration, now))
        if allowance is None:
            return None
        actions = decide(sweep, replace(observed, allowance=allowance), self._configuration, now)
        written, delay = self._apply(key, sweep, observed, memory, actions, now)
        self._plans[key] = written.status.plan
        self._log(key, actions)
        return delay

    def _reconcile_dataset(self, key: ObjectKey) -> float | None:
        snapshot = self._watches.take_dataset_snapshot(key.namespace, key.name)
        if snapshot.dataset is None:
            self._forget(key)
            self._limiter.remove(key, snapshot.pods, self._now())
            return None
        dataset = self._select_newer(key, snapshot.dataset)
        self._limiter.register(dataset, snapshot.jobs, snapshot.pods, snapshot.epoch, self._now())
        try:
            return self._continue_dataset(key, dataset, snapshot)
        finally:
            self._limiter.end_pass(key)

    def _continue_dataset(self, key: ObjectKey, dataset: DatasetObject, snapshot: DatasetSnapshot) -> float | None:
        memory, now = self._memories.setdefault(key, OwnerMemory()), self._now()
        problem = self._checker.check_selection(key, dataset, snapshot.sweeps, snapshot.recipes)
        found = self._observer.observe(dataset, snapshot.jobs, snapshot.pods, memory, now)
        observed = ObservedDataset(sweeps=snapshot.sweeps, problem=problem, **vars(found))
        allowance = self._limiter.allow_dataset(DatasetContext(dataset, observed, self._configuration, now))
        if allowance is None:
            return None
        actions = decide_dataset(dataset, replace(observed, allowance=allowance), self._configuration, now)
        _, delay = self._apply(key, dataset, observed, memory, actions, now)
        self._log(key, actions)
        return delay

    def _apply(
        self,
        key: ObjectKey,
        owner: AnyOwner,
        observed: ObservedJobs,
        memory: OwnerMemory,
        actions: tuple[Action, ...],
        now: datetime,
    ) -> tuple[AnyOwner, float | None]:
        """Apply the actions; return the owner as written, and the seconds until the next pass."""
        result = apply(self._api, owner, observed, actions, now)
        self._written[key] = result.owner
        memory.remember(result, time.monotonic())
        after_refusal = _AFTER_REFUSAL_SECONDS if result.refusal else None
        delays = (result.requeue_after, memory.requeue_after, after_refusal)
        return result.owner, min((delay for delay in delays if delay is not None), default=None)

    def _forget(self, key: ObjectKey) -> None:
        self._memories.pop(key, None)
        self._written.pop(key, None)
        self._plans.pop(key, None)
        self._checker.forget(key)

    def _log(self, key: ObjectKey, actions: tuple[Action, ...]) -> None:
        """Log the actions, Events with their message: the API server deletes Events after an hour."""
        for action in actions:
            if isinstance(action, EmitEvent):
                level = logging.WARNING if action.type == "Warning" else logging.INFO
                log.log(level, "%s", action.message, extra={**self.build_log_fields(key), "reason": action.reason})
            else:
                log.debug("%s", type(action).__name__, extra=self.build_log_fields(key))

    def _select_newer(self, key: ObjectKey, watched: AnyOwner) -> AnyOwner:
        """Return the owner as last written here if the watch has not delivered that version yet."""
        written = self._written.get(key)
        if written and written.uid == watched.uid and int(written.resource_version) > int(watched.resource_version):
            return cast("AnyOwner", written)
        self._written.pop(key, None)
        return watched

    def _reconcile_recipe(self, key: ObjectKey) -> None:
        recipe = self._watches.find_recipe(key.namespace, key.name)
        if recipe is None:
            self._checker.forget(key)
            return
        if recipe.status.observed_generation == recipe.generation:
            return
        status = build_recipe_status(recipe, self._checker.check_recipe(key, recipe), self._now())
        body = {
            "metadata": {"name": recipe.name, "resourceVersion": recipe.resource_version},
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        try:
            self._api.replace_status(Resource.RECIPES, recipe.namespace, recipe.name, body)
        except ApiError as error:
            if error.code in (CONFLICT, NOT_FOUND):
                raise StaleError from error
            raise
