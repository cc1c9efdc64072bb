"""Limiter: what the limits of its namespace allow a sweep or dataset, in every pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.namespace_limits import NamespaceLimits
from synth_operator.decide.decide_dataset import count_wanted_pods, is_dataset_at_work
from synth_operator.decide.demand import compute_demand, count_render_pods_since_before, is_at_work, measure_use
from synth_operator.decide.observed_state import UNLIMITED, PodAllowance
from synth_operator.kube.owner import Owner, name_owner, parse_owner
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile.apply import StaleError
from synth_operator.reconcile.gpu_hours import HOUR_SECONDS, GpuDay, GpuHours, find_day, find_next_day
from synth_operator.reconcile.ledger import NOTHING, Amount, Grant, Ledger
from synth_operator.watch.kopf_setup import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from synth_operator.configuration import LimitsByNamespace
    from synth_operator.decide.context import Context
    from synth_operator.decide.dataset_context import DatasetContext
    from synth_operator.decide.demand import Demand
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

_WORDS: Final = {"sweeps": ("sweep", "at work"), "pods": ("pod", "at once"), "gpus": ("GPU", "at once")}
_NO_LIMITS: Final = NamespaceLimits()


@dataclass(frozen=True)
class NamespaceUse:
    """Limits of a namespace and what its sweeps and datasets occupy, for metrics."""

    namespace: str
    limits: NamespaceLimits
    use: Mapping[str, float]
    """Amount in use by resource: `sweeps`, `pods`, `gpus`, `gpuHoursPerDay`."""
    waiting: int
    """Sweeps and datasets that wait to be at work."""


@dataclass
class _Namespace:
    """State of a namespace with limits."""

    limits: NamespaceLimits
    ledger: Ledger
    hours: GpuHours
    spent_at: datetime | None = None
    """When the GPU hours of the day were found to be spent; what started later is stopped."""


class Limiter:
    """Keeps a ledger for every namespace with limits; thread-safe.

    `list_names` returns all sweeps and datasets in the watches' cache by namespace, named as `name_owner` does; it is
    called when `epoch` changes, since a rebuilt cache does not tell what was deleted meanwhile. `load_days` returns the
    GPU hours that an earlier process counted. `wake` is called for a sweep or dataset that may go on.
    """

    def __init__(
        self,
        limits: LimitsByNamespace,
        list_names: Callable[[], Mapping[str, Collection[str]]],
        load_days: Callable[[], Mapping[str, GpuDay]],
        wake: Callable[[ObjectKey], None],
    ) -> None:
        self._limits = limits
        self._list_names = list_names
        self._load_days = load_days
        self._wake = wake
        self._lock = Lock()
        self._epoch = -1
        self._unseen: Mapping[str, Collection[str]] = {}
        self._days: dict[str, GpuDay] | None = None
        """Days of namespaces that are not open; None until they are loaded."""
        self._namespaces: dict[str, _Namespace] = {}

    def register(
        self,
        owner: Owner,
        jobs: Collection[JobObject],
        pods: Collection[PodObject],
        epoch: int,
        now: datetime,
    ) -> None:
        """Record what a sweep or dataset occupies; `epoch` numbers the rebuilds of the watches' cache.

        Raises:
            ApiError: the GPU hours of earlier processes cannot be read.
        """
        if self._limits.find(owner.namespace) == _NO_LIMITS:
            return
        name = name_owner(owner.resource, owner.name)
        with self._lock:
            self._begin(epoch, now)
            namespace = self._open(owner.namespace, now)
            use = _measure(owner, jobs, pods)
            if isinstance(owner, SweepObject):
                at_work, waits = is_at_work(owner.status), _may_ask(owner)
                namespace.ledger.register(name, owner.created, use, at_work=at_work, waits=waits)
                namespace.hours.record(name, () if owner.spec.queue_name else pods, now)
            else:
                at_work = is_dataset_at_work(owner.status)
                namespace.ledger.register(name, owner.created, use, at_work=at_work, places=0)
        self._wake_due(owner.namespace)

    def allow(self, context: Context) -> PodAllowance | None:
        """Return what the registered sweep may have; None if that is not known yet: `wake` is called once it is.

        Raises:
            StaleError: the watches' cache was rebuilt since the sweep was registered.
        """
        sweep = context.sweep
        if self._limits.find(sweep.namespace) == _NO_LIMITS:
            return UNLIMITED
        demand = compute_demand(context)
        use = _measure(sweep, context.observed.jobs, context.observed.pods)
        with self._lock:
            namespace = self._namespaces.get(sweep.namespace)
            if namespace is None or not namespace.ledger.has(sweep.name):
                raise StaleError
            allowance = _allow(namespace, context, demand, use)
        self._wake_due(sweep.namespace)
        return allowance

    def allow_dataset(self, context: DatasetContext) -> PodAllowance | None:
        """Return what the registered dataset may have, as `allow` does; it needs pods alone."""
        dataset = context.dataset
        limits = self._limits.find(dataset.namespace)
        if limits == _NO_LIMITS:
            return UNLIMITED
        use = _measure(dataset, context.observed.jobs, context.observed.pods)
        name, pods = name_owner(dataset.resource, dataset.name), count_wanted_pods(context)
        is_closed = limits.pods == 0
        with self._lock:
            namespace = self._namespaces.get(dataset.namespace)
            if namespace is None or not namespace.ledger.has(name):
                raise StaleError
            grant = namespace.ledger.settle(name, use, 0 if is_closed else pods, 0)
        self._wake_due(dataset.namespace)
        if not pods:
            return UNLIMITED
        if is_closed:
            return PodAllowance(0, problem=_build_problem("The dataset cannot start", _format_limit(limits, "pods")))
        return _build_allowance(limits, grant, pods, pods) if grant else None

    def end_pass(self, key: ObjectKey) -> None:
        """Record that a pass over a sweep or dataset has ended, with or without success."""
        with self._lock:
            if key.namespace in self._namespaces:
                self._namespaces[key.namespace].ledger.end_pass(name_owner(key.resource, key.name))
        self._wake_due(key.namespace)

    def pass_over(self, key: ObjectKey) -> None:
        """Let a sweep or dataset whose pass failed hold up no younger one until a pass succeeds."""
        with self._lock:
            if key.namespace in self._namespaces:
                self._namespaces[key.namespace].ledger.pass_over(name_owner(key.resource, key.name))
        self._wake_due(key.namespace)

    def remove(self, key: ObjectKey, pods: Collection[PodObject], now: datetime) -> None:
        """Forget what is deleted or occupies nothing for good, once its pods have ended; its GPU hours stay."""
        namespace, name = key.namespace, name_owner(key.resource, key.name)
        if self._limits.find(namespace) == _NO_LIMITS:
            return
        use = measure_use("", (), pods)
        with self._lock:
            if namespace in self._namespaces or name in self._unseen.get(namespace, ()):
                state = self._open(namespace, now)
                state.ledger.remove(name, Amount(0, use.pods, use.gpus))
                state.hours.record(name, pods, now)
        self._wake_due(namespace)

    def list_uses(self, now: datetime) -> tuple[NamespaceUse, ...]:
        """Return limits and use of every namespace that has both limits and sweeps or datasets."""
        with self._lock:
            return tuple(_describe(name, namespace, now) for name, namespace in sorted(self._namespaces.items()))

    def list_days(self, now: datetime) -> dict[str, GpuDay] | None:
        """Return the GPU hours of this day, by namespace, for the next process; None while they are not loaded."""
        with self._lock:
            if self._days is None:
                return None
            counted = {name: namespace.hours.summarize(now) for name, namespace in self._namespaces.items()}
            days = self._days | {name: day for name, day in counted.items() if day.used}
            return {name: day for name, day in days.items() if day.day == find_day(now)}

    def _begin(self, epoch: int, now: datetime) -> None:
        """Begin all ledgers again after the watches' cache was rebuilt."""
        if epoch <= self._epoch:
            return
        self._unseen = self._list_names()
        if self._days is not None:
            self._days |= {name: namespace.hours.summarize(now) for name, namespace in self._namespaces.items()}
        self._epoch, self._namespaces = epoch, {}

    def _open(self, name: str, now: datetime) -> _Namespace:
        if name not in self._namespaces:
            if self._days is None:
                self._days = dict(self._load_days()) if self._limits.has_gpu_hours else {}
            limits = self._limits.find(name)
            hours = GpuHours(self._days.get(name, GpuDay(find_day(now), 0.0, 0.0)))
            self._namespaces[name] = _Namespace(limits, Ledger(limits, self._unseen.get(name, ())), hours)
        return self._namespaces[name]

    def _wake_due(self, name: str) -> None:
        with self._lock:
            due = self._namespaces[name].ledger.take_due() if name in self._namespaces else set[str]()
        for word in due:
            resource, owner = parse_owner(word)
            self._wake(ObjectKey(resource, name, owner))


def _allow(namespace: _Namespace, context: Context, demand: Demand | None, use: Amount) -> PodAllowance | None:
    limits, ledger, name = namespace.limits, namespace.ledger, context.sweep.name
    problem = demand and _find_impossible(limits, demand)
    if demand is None or problem:
        grant = ledger.settle(name, use, 0, 0)
        return PodAllowance(0, problem=problem) if problem else UNLIMITED
    hours, pods = _check_hours(namespace, context, demand), demand.pods
    if hours and namespace.spent_at:
        pods = min(pods, count_render_pods_since_before(context, namespace.spent_at))
    grant = ledger.settle(name, use, pods, demand.gpus)
    if grant is None:
        return None
    if hours and hours.problem:
        return replace(hours, pods=grant.pods)
    most = ledger.compute_most_pods(demand.gpus)
    allowance = _build_allowance(limits, grant, context.spec.parallelism, most)
    return replace(allowance, check_after=hours.check_after) if hours else allowance


def _check_hours(namespace: _Namespace, context: Context, demand: Demand) -> PodAllowance | None:
    """Return the problem of spent GPU hours, or the time after which they may be; None for a sweep that needs none."""
    limit, now = namespace.limits.gpu_hours_per_day, context.now
    if limit is None or not demand.gpus or not demand.renders:
        return None
    left = limit * HOUR_SECONDS - namespace.hours.compute_seconds(now)
    until_tomorrow = (find_next_day(now) - now).total_seconds()
    if left > 0:
        namespace.spent_at = None
        rate = namespace.hours.rate
        return PodAllowance(check_after=min(max(1.0, left / rate), until_tomorrow)) if rate else PodAllowance()
    if namespace.spent_at is None:
        namespace.spent_at = now
        namespace.ledger.call(namespace.hours.sweeps)
    tomorrow = f"{find_next_day(now):%Y-%m-%d %H:%M} UTC"
    hours = f"{limit:g} GPU hour{'' if limit == 1 else 's'} per day"
    message = f"The limit of this namespace, {hours}, is spent; the sweep goes on at {tomorrow}."
    return PodAllowance(problem=Problem(reason=Reason.LIMITED, message=message), check_after=until_tomorrow)


def _describe(name: str, namespace: _Namespace, now: datetime) -> NamespaceUse:
    use = {**namespace.ledger.use._asdict(), "gpuHoursPerDay": namespace.hours.compute_seconds(now) / HOUR_SECONDS}
    return NamespaceUse(name, namespace.limits, use, namespace.ledger.waiting)


def _may_ask(sweep: SweepObject) -> bool:
    """Return True if an unfinished sweep may ask for a place, as far as is known before its check."""
    return not (sweep.deleting or sweep.spec.suspend or sweep.spec.queue_name or sweep.status.completion_time)


def _measure(owner: Owner, jobs: Collection[JobObject], pods: Collection[PodObject]) -> Amount:
    if isinstance(owner, SweepObject) and owner.spec.queue_name:
        return NOTHING  # Kueue counts it
    use = measure_use(owner.uid, jobs, pods)
    return Amount(0, use.pods, use.gpus)


def _find_impossible(limits: NamespaceLimits, demand: Demand) -> Problem | None:
    """Return the limit that a sweep exceeds by itself, so that it waits for an edit of it or of the limit."""
    if limits.runs_per_sweep is not None and demand.runs > limits.runs_per_sweep:
        return _build_problem(f"The sweep has {demand.runs} runs", f"{limits.runs_per_sweep} runs per sweep")
    if limits.gpus is not None and demand.gpus > limits.gpus:
        return _build_problem(f"A pod of the sweep needs {demand.gpus} GPUs", _format_limit(limits, "gpus"))
    closed = next((word for word in ("sweeps", "pods") if getattr(limits, word) == 0), None)
    return _build_problem("The sweep cannot start", _format_limit(limits, closed)) if closed else None


def _format_limit(limits: NamespaceLimits, resource: str) -> str:
    """Return `1 sweep at work`, `4 pods at once` and so on."""
    number, (word, when) = getattr(limits, resource), _WORDS[resource]
    return f"{number} {word}{'' if number == 1 else 's'} {when}"


def _build_problem(cause: str, limit: str) -> Problem:
    return Problem(reason=Reason.LIMITED, message=f"{cause}; the limit of this namespace is {limit}.")


def _build_allowance(limits: NamespaceLimits, grant: Grant, parallelism: int, most: float) -> PodAllowance:
    if grant.pods:
        no_limit = limits.pods is None and limits.gpus is None
        return PodAllowance(None if no_limit else grant.pods, is_short=bool(grant.missing) or most < parallelism)
    resource = grant.missing[0]
    limit = _format_limit(limits, resource)
    waiting = "sweeps and datasets" if resource == "pods" else "sweeps"
    message = f"The limit of this namespace, {limit}, is reached; {waiting} go on in order of age."
    return PodAllowance(0, problem=Problem(reason=Reason.LIMITED, message=message))
