"""Limiter: what the limits of its namespace allow a sweep, in every pass."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.configuration import NamespaceLimits
from synth_operator.decide.demand import compute_demand, is_at_work, measure_use
from synth_operator.decide.observed_state import UNLIMITED, SweepAllowance
from synth_operator.reconcile.apply import StaleError
from synth_operator.reconcile.ledger import NOTHING, Amount, Grant, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from synth_operator.configuration import LimitsByNamespace
    from synth_operator.decide.context import Context
    from synth_operator.decide.demand import Demand
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.sweep_object import SweepObject

_WORDS: Final = {"sweeps": ("sweep", "at work"), "pods": ("pod", "at once"), "gpus": ("GPU", "at once")}
_NO_LIMITS: Final = NamespaceLimits()


@dataclass(frozen=True)
class NamespaceUse:
    """Limits of a namespace and what its sweeps occupy, for metrics."""

    namespace: str
    limits: NamespaceLimits
    use: Mapping[str, float]
    """Amount in use by resource: `sweeps`, `pods`, `gpus`."""
    waiting: int
    """Sweeps that wait to be at work."""


class Limiter:
    """Keeps a ledger for every namespace with limits; thread-safe.

    `list_names` returns the names of all sweeps in the watches' cache by namespace; it is called when `epoch` changes,
    since a rebuilt cache does not tell what was deleted meanwhile. `wake` is called for a sweep that may go on.
    """

    def __init__(
        self,
        limits: LimitsByNamespace,
        list_names: Callable[[], Mapping[str, Collection[str]]],
        wake: Callable[[str, str], None],
    ) -> None:
        self._limits = limits
        self._list_names = list_names
        self._wake = wake
        self._lock = Lock()
        self._epoch = -1
        self._unseen: Mapping[str, Collection[str]] = {}
        self._ledgers: dict[str, Ledger] = {}

    def register(
        self, sweep: SweepObject, jobs: Collection[JobObject], pods: Collection[PodObject], epoch: int
    ) -> None:
        """Record what a sweep occupies; `epoch` numbers the rebuilds of the watches' cache."""
        if self._find_limits(sweep) == _NO_LIMITS:
            return
        with self._lock:
            self._begin(epoch)
            ledger = self._open_ledger(sweep.namespace)
            use = _measure(sweep, jobs, pods)
            ledger.register(sweep.name, sweep.created, use, at_work=is_at_work(sweep.status))
        self._wake_due(sweep.namespace)

    def allow(self, context: Context) -> SweepAllowance | None:
        """Return what the registered sweep may have; None if that is not known yet: `wake` is called once it is.

        Raises:
            StaleError: the watches' cache was rebuilt since the sweep was registered.
        """
        sweep = context.sweep
        limits = self._find_limits(sweep)
        if limits == _NO_LIMITS:
            return UNLIMITED
        demand = compute_demand(context)
        problem = demand and _find_impossible(limits, demand)
        use = _measure(sweep, context.observed.jobs, context.observed.pods)
        with self._lock:
            ledger = self._open_ledger(sweep.namespace)
            if not ledger.has(sweep.name):
                raise StaleError
            pods, gpus = (demand.pods, demand.gpus) if demand and not problem else (0, 0)
            grant = ledger.settle(sweep.name, use, pods, gpus)
            most = ledger.compute_most_pods(gpus)
        self._wake_due(sweep.namespace)
        if grant is None:
            return None
        if demand is None:
            return UNLIMITED
        return (
            SweepAllowance(0, problem=problem)
            if problem
            else _build_allowance(limits, grant, sweep.spec.parallelism, most)
        )

    def end_pass(self, namespace: str, name: str) -> None:
        """Record that a pass over a sweep has ended, with or without success."""
        with self._lock:
            if namespace in self._ledgers:
                self._ledgers[namespace].end_pass(name)
        self._wake_due(namespace)

    def remove(self, namespace: str, name: str, pods: Iterable[PodObject]) -> None:
        """Forget a sweep that is deleted or occupies nothing for good, once its pods have ended."""
        use = measure_use("", (), pods)
        with self._lock:
            if namespace in self._ledgers or name in self._unseen.get(namespace, ()):
                self._open_ledger(namespace).remove(name, Amount(0, use.pods, use.gpus))
        self._wake_due(namespace)

    def list_uses(self) -> tuple[NamespaceUse, ...]:
        """Return limits and use of every namespace that has both limits and sweeps."""
        with self._lock:
            return tuple(
                NamespaceUse(namespace, self._limits.find(namespace), ledger.use._asdict(), ledger.waiting)
                for namespace, ledger in sorted(self._ledgers.items())
            )

    def _find_limits(self, sweep: SweepObject) -> NamespaceLimits:
        return self._limits.find(sweep.namespace)

    def _begin(self, epoch: int) -> None:
        """Begin all ledgers again after the watches' cache was rebuilt."""
        if epoch > self._epoch:
            self._epoch, self._unseen, self._ledgers = epoch, self._list_names(), {}

    def _open_ledger(self, namespace: str) -> Ledger:
        if namespace not in self._ledgers:
            self._ledgers[namespace] = Ledger(self._limits.find(namespace), self._unseen.get(namespace, ()))
        return self._ledgers[namespace]

    def _wake_due(self, namespace: str) -> None:
        with self._lock:
            due = self._ledgers[namespace].take_due() if namespace in self._ledgers else set[str]()
        for name in due:
            self._wake(namespace, name)


def _measure(sweep: SweepObject, jobs: Collection[JobObject], pods: Collection[PodObject]) -> Amount:
    if sweep.spec.queue_name:
        return NOTHING  # Kueue counts it
    use = measure_use(sweep.uid, jobs, pods)
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


def _build_allowance(limits: NamespaceLimits, grant: Grant, parallelism: int, most: float) -> SweepAllowance:
    if grant.pods:
        no_limit = limits.pods is None and limits.gpus is None
        return SweepAllowance(None if no_limit else grant.pods, is_short=bool(grant.missing) or most < parallelism)
    resource = grant.missing[0]
    limit = _format_limit(limits, resource)
    message = f"The limit of this namespace, {limit}, is reached; sweeps go on in order of age."
    return SweepAllowance(0, problem=Problem(reason=Reason.LIMITED, message=message))
