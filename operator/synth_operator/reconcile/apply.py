"""Does what `decide` asked for, in order and idempotently; `actions` has the rules."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.names import HASH_ANNOTATION, MANAGER, OWNER_ANNOTATION, SWEEP_LABEL
from synth_operator.decide.actions import (
    Action,
    CreateInput,
    CreateJob,
    DeleteInput,
    DeleteJob,
    EmitEvent,
    PatchJob,
    RequeueAfter,
    SetFinalizers,
    WriteStatus,
)
from synth_operator.decide.observed_state import Refusal
from synth_operator.kube.api import CONFLICT, NOT_FOUND, Api, ApiError, Resource, Tree
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from synth_operator.decide.observed_state import Observed

_REFUSED: Final = (403, CONFLICT, 422)


class StaleError(Exception):
    """What was decided on is not so any more: the pass begins anew."""


@dataclass
class Applied:
    """What became of a pass."""

    sweep: SweepObject
    """The sweep, newer than observed when it was written to."""
    requeue: float | None = None
    """Seconds after which another pass is due."""
    jobs: set[str] = field(default_factory=set)
    """Names of Jobs that were made."""
    inputs: set[str] = field(default_factory=set)
    """Names of ConfigMaps that were made."""
    removed: set[str] = field(default_factory=set)
    """Names of ConfigMaps that are gone."""
    refusal: Refusal | None = None
    """Why the last action could not be done."""


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def apply(api: Api, sweep: SweepObject, observed: Observed, actions: Iterable[Action], now: datetime) -> Applied:
    """Does the actions in order until one fails.

    Raises:
        StaleError: the pass begins anew from what is then seen.
        ApiError: the API refused something else, or did not answer; the pass is tried again later.
    """
    work = _Pass(api, sweep, observed, now)
    try:
        for action in actions:
            work.do(action)
    except _RefusedError as error:
        work.applied.refusal = error.refusal
    return work.applied


class _Pass:
    def __init__(self, api: Api, sweep: SweepObject, observed: Observed, now: datetime) -> None:
        self._api = api
        self._now = now
        self._jobs = {job.uid for job in observed.jobs}
        self._current = False
        self.applied = Applied(sweep)

    @singledispatchmethod
    def do(self, action: Action) -> None:
        """Does one action."""
        raise NotImplementedError(type(action).__name__)

    @do.register
    def _(self, action: WriteStatus) -> None:
        status = action.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        body = {"metadata": self._metadata(namespace=self._sweep.namespace), "status": status}
        with _stale(CONFLICT, NOT_FOUND):
            answer = self._api.replace_status(Resource.SWEEPS, self._sweep.namespace, self._sweep.name, body)
        self.applied.sweep = SweepObject.of(answer)
        self._current = True

    @do.register
    def _(self, action: SetFinalizers) -> None:
        body = {"metadata": self._metadata(finalizers=list(action.finalizers))}
        with _stale(CONFLICT, NOT_FOUND):
            answer = self._api.patch(Resource.SWEEPS, self._sweep.namespace, self._sweep.name, body)
        self.applied.sweep = SweepObject.of(answer)
        self._current = True

    @do.register
    def _(self, action: CreateInput) -> None:
        self._confirm()
        self._create(Resource.INPUTS, dict(action.body))
        self.applied.inputs.add(action.body["metadata"]["name"])

    @do.register
    def _(self, action: CreateJob) -> None:
        self._confirm()
        selector = f"{SWEEP_LABEL}={self._sweep.name}"
        there = self._api.find(Resource.JOBS, self._sweep.namespace, labels=selector)
        if any(job["metadata"]["uid"] not in self._jobs for job in there):
            raise StaleError
        self._jobs.add(self._create(Resource.JOBS, dict(action.body)))
        self.applied.jobs.add(action.body["metadata"]["name"])

    @do.register
    def _(self, action: PatchJob) -> None:
        self._confirm()
        spec = {"parallelism": action.parallelism, "suspend": action.suspend}
        changes = {key: value for key, value in spec.items() if value is not None}
        with _stale(CONFLICT, NOT_FOUND):
            body = {"metadata": {"uid": action.uid}, "spec": changes}
            self._api.patch(Resource.JOBS, self._sweep.namespace, action.name, body)

    @do.register
    def _(self, action: DeleteJob) -> None:
        self._confirm()
        self._api.delete(Resource.JOBS, self._sweep.namespace, action.name, action.uid)

    @do.register
    def _(self, action: DeleteInput) -> None:
        self._confirm()
        self._api.delete(Resource.INPUTS, self._sweep.namespace, action.name)
        self.applied.removed.add(action.name)

    @do.register
    def _(self, action: EmitEvent) -> None:
        try:
            self._api.create(Resource.EVENTS, self._sweep.namespace, event(self._sweep, action, self._now))
        except ApiError as error:
            if error.code is None:
                raise

    @do.register
    def _(self, action: RequeueAfter) -> None:
        delays = (action.seconds, self.applied.requeue)
        self.applied.requeue = min(delay for delay in delays if delay is not None)

    @property
    def _sweep(self) -> SweepObject:
        return self.applied.sweep

    def _metadata(self, **more: Any) -> Tree:
        return {"name": self._sweep.name, "resourceVersion": self._sweep.resource_version, **more}

    def _confirm(self) -> None:
        """The sweep is as observed, at the server too."""
        if self._current:
            return
        there = self._api.read(Resource.SWEEPS, self._sweep.namespace, self._sweep.name)
        if there is None or there["metadata"]["resourceVersion"] != self._sweep.resource_version:
            raise StaleError
        self._current = True

    def _create(self, resource: Resource, body: Tree) -> str:
        """Makes it, or finds it made; its uid."""
        try:
            there = self._api.create(resource, self._sweep.namespace, body)
        except ApiError as error:
            if error.code not in _REFUSED:
                raise
            there = self._made_before(resource, body, error)
        return str(there["metadata"]["uid"])

    def _made_before(self, resource: Resource, body: Tree, error: ApiError) -> Tree:
        """What has the name, when it is what was to be made."""
        name = body["metadata"]["name"]
        if error.code == CONFLICT:
            there = self._api.read(resource, self._sweep.namespace, name)
            if there is None:
                raise StaleError
            if _identity(there) == _identity(body) and "deletionTimestamp" not in there["metadata"]:
                return there
        raise _RefusedError(Refusal(name=name, code=error.code or 0, message=error.message, at=self._now))


@contextmanager
def _stale(*codes: int) -> Iterator[None]:
    """Answers with these codes mean that what was observed is not so any more."""
    try:
        yield
    except ApiError as error:
        if error.code in codes:
            raise StaleError from error
        raise


def _identity(body: Tree) -> tuple[Any, Any]:
    annotations = body["metadata"].get("annotations", {})
    return annotations.get(OWNER_ANNOTATION), annotations.get(HASH_ANNOTATION)


def event(sweep: SweepObject, action: EmitEvent, now: datetime) -> Tree:
    """The Event's body."""
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "apiVersion": Resource.EVENTS.api_version,
        "kind": Resource.EVENTS.kind,
        "metadata": {"name": action.name, "namespace": sweep.namespace},
        "involvedObject": {
            "apiVersion": Resource.SWEEPS.api_version,
            "kind": Resource.SWEEPS.kind,
            "namespace": sweep.namespace,
            "name": sweep.name,
            "uid": sweep.uid,
        },
        "type": action.type,
        "reason": action.reason,
        "message": action.message,
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
