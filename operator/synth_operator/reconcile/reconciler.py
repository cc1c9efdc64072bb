"""One look at one sweep or recipe: observe, decide, apply."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from synth_operator.decide.actions import Action, EmitEvent
from synth_operator.decide.decide import decide
from synth_operator.kube.api import CONFLICT, NOT_FOUND, Api, ApiError, Resource
from synth_operator.reconcile.apply import StaleError, apply
from synth_operator.reconcile.observe import Memory, Observer
from synth_operator.reconcile.recipes import recipe_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.configuration import Configuration
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.watch.handlers import ObjectKey
    from synth_operator.watch.watches import Watches

log = logging.getLogger(__name__)

_REFUSED_AGAIN = 1.0
"""Seconds until a pass observes what the API refused."""


def _now() -> datetime:
    return datetime.now(UTC)


class Reconciler:
    """Looks at what the queue gives out; never at one item with two threads at a time."""

    def __init__(
        self, api: Api, watches: Watches, configuration: Configuration, now: Callable[[], datetime] = _now
    ) -> None:
        self._api = api
        self._watches = watches
        self._configuration = configuration
        self._now = now
        self._observer = Observer(api, configuration.output)
        self._memories: dict[ObjectKey, Memory] = {}
        self._written: dict[ObjectKey, SweepObject] = {}

    def look(self, item: ObjectKey) -> float | None:
        """One pass; the seconds after which another one is due even when nothing happens.

        Raises:
            StaleError: what was seen is not so any more; look again soon.
            ApiError: the API refused or did not answer; look again later.
            NotWatchingError: the watches are not complete; look again later.
        """
        if item.resource is Resource.SWEEPS:
            return self._sweep(item)
        self._recipe(item)
        return None

    def _sweep(self, item: ObjectKey) -> float | None:
        snapshot = self._watches.snapshot(item.namespace, item.name)
        if snapshot.sweep is None:
            self._memories.pop(item, None)
            self._written.pop(item, None)
            return None
        sweep = self._latest(item, snapshot.sweep)
        memory = self._memories.setdefault(item, Memory())
        now = self._now()
        observed = self._observer.observe(sweep, snapshot, memory, now)
        actions = decide(sweep, observed, self._configuration, now)
        applied = apply(self._api, sweep, observed, actions, now)
        self._written[item] = applied.sweep
        memory.remember(applied, time.monotonic())
        self._log(item, actions)
        again = _REFUSED_AGAIN if applied.refusal else None
        return min((delay for delay in (applied.requeue, memory.look_again, again) if delay is not None), default=None)

    def context(self, item: ObjectKey) -> dict[str, str]:
        """What each line of the log says about a sweep or recipe."""
        if item.resource is Resource.RECIPES:
            return {"namespace": item.namespace, "recipe": item.name}
        known = self._written.get(item)
        return {"namespace": item.namespace, "sweep": item.name, "plan": known.status.plan[:8] if known else ""}

    def _log(self, item: ObjectKey, actions: tuple[Action, ...]) -> None:
        """What is told in Events is told in the log, where it stays: Events are gone after an hour."""
        for action in actions:
            if isinstance(action, EmitEvent):
                level = logging.WARNING if action.type == "Warning" else logging.INFO
                log.log(level, "%s", action.message, extra={**self.context(item), "reason": action.reason})
            else:
                log.debug("%s", type(action).__name__, extra=self.context(item))

    def _latest(self, item: ObjectKey, seen: SweepObject) -> SweepObject:
        """What we wrote ourselves may be newer than what the watch has brought."""
        written = self._written.get(item)
        newer = written and written.uid == seen.uid and int(written.resource_version) > int(seen.resource_version)
        return written if written and newer else seen

    def _recipe(self, item: ObjectKey) -> None:
        recipe = self._watches.recipe(item.namespace, item.name)
        if recipe is None:
            return
        status = recipe_status(recipe, self._now())
        if status == recipe.status:
            return
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
