"""Apply: the actions of a pass in order, idempotently, by the rules in `synth_operator.decide.actions`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from synth_api.jobs.names import HASH_ANNOTATION, MANAGER
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
from synth_operator.kube.api import CONFLICT, NAMESPACE_TERMINATING, NOT_FOUND, Api, ApiError, JsonObject, Resource
from synth_operator.kube.job_object import find_owner, read_job
from synth_operator.kube.owner import OWNER_LABELS, Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from synth_operator.configuration import Lease
    from synth_operator.decide.observed_state import ObservedJobs

_REFUSAL_CODES: Final = (403, CONFLICT, 422)


class StaleError(Exception):
    """The observed state is out of date: the pass ends and a new one observes again."""


AnyOwner = TypeVar("AnyOwner", bound=Owner)


@dataclass
class ApplyResult(Generic[AnyOwner]):
    """Result of the actions of a pass."""

    owner: AnyOwner
    """The sweep or dataset as last written, or as observed."""
    requeue_after: float | None = None
    """Seconds after which another pass is due."""
    jobs: set[str] = field(default_factory=set)
    """Names of the created Jobs."""
    inputs: set[str] = field(default_factory=set)
    """Names of the created ConfigMaps."""
    deleted_inputs: set[str] = field(default_factory=set)
    """Names of the deleted ConfigMaps."""
    refusal: Refusal | None = None
    """The API's refusal of the last action, if any."""


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def apply(
    api: Api, owner: AnyOwner, observed: ObservedJobs, actions: Iterable[Action], now: datetime
) -> ApplyResult[AnyOwner]:
    """Apply the actions in order until one fails.

    Raises:
        StaleError: the observed state is out of date.
        ApiError: the API refused another request or did not answer.
    """
    applier = _Applier(api, owner, observed, now)
    try:
        for action in actions:
            applier.apply(action)
    except _RefusedError as error:
        applier.result.refusal = error.refusal
    return applier.result


class _Applier(Generic[AnyOwner]):
    def __init__(self, api: Api, owner: AnyOwner, observed: ObservedJobs, now: datetime) -> None:
        self._api = api
        self._now = now
        self._read: Callable[[JsonObject], AnyOwner] = cast("Any", type(owner).from_json)
        self._job_uids = {job.uid for job in observed.jobs}
        self._is_current = False
        self.result = ApplyResult(owner)

    @singledispatchmethod
    def apply(self, action: Action) -> None:
        """Apply one action, by its type."""
        raise NotImplementedError(type(action).__name__)

    @apply.register
    def _(self, action: WriteStatus) -> None:
        status = action.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        body = {"metadata": self._build_metadata(namespace=self._owner.namespace), "status": status}
        with _raise_stale(CONFLICT, NOT_FOUND):
            answer = self._api.replace_status(self._owner.resource, self._owner.namespace, self._owner.name, body)
        self.result.owner = self._read(answer)
        self._is_current = True

    @apply.register
    def _(self, action: SetFinalizers) -> None:
        body = {"metadata": self._build_metadata(finalizers=list(action.finalizers))}
        with _raise_stale(CONFLICT, NOT_FOUND):
            answer = self._api.patch(self._owner.resource, self._owner.namespace, self._owner.name, body)
        self.result.owner = self._read(answer)
        self._is_current = True

    @apply.register
    def _(self, action: CreateInput) -> None:
        self._ensure_current()
        self._create(Resource.INPUTS, dict(action.body))
        self.result.inputs.add(action.body["metadata"]["name"])

    @apply.register
    def _(self, action: CreateJob) -> None:
        self._ensure_current()
        selector = f"{OWNER_LABELS[self._owner.resource]}={self._owner.name}"
        existing = self._api.find(Resource.JOBS, self._owner.namespace, labels=selector)
        jobs = (job for job in map(read_job, existing) if job and job.owner == self._owner.uid)
        if any(job.uid not in self._job_uids for job in jobs):
            raise StaleError
        self._job_uids.add(self._create(Resource.JOBS, dict(action.body)))
        self.result.jobs.add(action.body["metadata"]["name"])

    @apply.register
    def _(self, action: PatchJob) -> None:
        self._ensure_current()
        spec = {"parallelism": action.parallelism, "suspend": action.suspend}
        changes = {key: value for key, value in spec.items() if value is not None}
        with _raise_stale(CONFLICT, NOT_FOUND):
            body = {"metadata": {"uid": action.uid}, "spec": changes}
            self._api.patch(Resource.JOBS, self._owner.namespace, action.name, body)

    @apply.register
    def _(self, action: DeleteJob) -> None:
        self._ensure_current()
        self._api.delete(Resource.JOBS, self._owner.namespace, action.name, action.uid)

    @apply.register
    def _(self, action: DeleteInput) -> None:
        self._ensure_current()
        self._api.delete(Resource.INPUTS, self._owner.namespace, action.name)
        self.result.deleted_inputs.add(action.name)

    @apply.register
    def _(self, action: EmitEvent) -> None:
        body = build_event(self._owner, action, self._now)
        try:
            self._api.create(Resource.EVENTS, body["metadata"]["namespace"], body)
        except ApiError as error:
            if error.code is None:
                raise

    @apply.register
    def _(self, action: RequeueAfter) -> None:
        delays = (action.seconds, self.result.requeue_after)
        self.result.requeue_after = min(delay for delay in delays if delay is not None)

    @property
    def _owner(self) -> AnyOwner:
        return self.result.owner

    def _build_metadata(self, **more: Any) -> JsonObject:
        return {"name": self._owner.name, "resourceVersion": self._owner.resource_version, **more}

    def _ensure_current(self) -> None:
        """Raise StaleError unless the server has the owner in the observed version; it is read once per pass."""
        if self._is_current:
            return
        current = self._api.read(self._owner.resource, self._owner.namespace, self._owner.name)
        if current is None or current["metadata"]["resourceVersion"] != self._owner.resource_version:
            raise StaleError
        self._is_current = True

    def _create(self, resource: Resource, body: JsonObject) -> str:
        """Create an object, or find the one that an earlier pass created; return its uid."""
        try:
            existing = self._api.create(resource, self._owner.namespace, body)
        except ApiError as error:
            if error.code not in _REFUSAL_CODES:
                raise
            existing = self._find_created_object(resource, body, error)
        return str(existing["metadata"]["uid"])

    def _find_created_object(self, resource: Resource, body: JsonObject, error: ApiError) -> JsonObject:
        """Return the existing object of that name if it is the one to create.

        Raises:
            StaleError: the object was deleted since.
            _RefusedError: the name belongs to another object, or the API refuses the object.
        """
        name = body["metadata"]["name"]
        if error.code == CONFLICT:
            existing = self._api.read(resource, self._owner.namespace, name)
            if existing is None:
                raise StaleError
            if _identity(existing) == _identity(body) and "deletionTimestamp" not in existing["metadata"]:
                return existing
        ends = NAMESPACE_TERMINATING in error.causes
        raise _RefusedError(Refusal(name, error.code or 0, error.message, self._now, namespace_ends=ends))


@contextmanager
def _raise_stale(*codes: int) -> Iterator[None]:
    """Turn ApiErrors with these codes into StaleError."""
    try:
        yield
    except ApiError as error:
        if error.code in codes:
            raise StaleError from error
        raise


def _identity(body: JsonObject) -> tuple[Any, Any]:
    return find_owner(body), body["metadata"].get("annotations", {}).get(HASH_ANNOTATION)


def build_event(owner: Owner, action: EmitEvent, now: datetime) -> JsonObject:
    """Return the manifest of an Event about a sweep or dataset, or about the operator's Lease."""
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    involved = _refer_to_lease(action.lease) if action.lease else _refer_to_owner(owner)
    return {
        "apiVersion": Resource.EVENTS.api_version,
        "kind": Resource.EVENTS.kind,
        "metadata": {"name": action.name, "namespace": involved["namespace"]},
        "involvedObject": involved,
        "type": action.type,
        "reason": action.reason,
        "message": action.message,
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def _refer_to_owner(owner: Owner) -> JsonObject:
    resource = {"apiVersion": owner.resource.api_version, "kind": owner.resource.kind}
    return {**resource, "namespace": owner.namespace, "name": owner.name, "uid": owner.uid}


def _refer_to_lease(lease: Lease) -> JsonObject:
    resource = {"apiVersion": Resource.LEASES.api_version, "kind": Resource.LEASES.kind}
    return {**resource, "namespace": lease.namespace, "name": lease.name}
