"""Gauges of sweeps, read off their status at every scrape: exact after a restart, gone with the sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from synth_api.resources.synth_sweep import Phase, SweepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

_SWEEP: Final = ("namespace", "sweep")


class MeasuredSweep(Protocol):
    """What is read of a sweep."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def status(self) -> SweepStatus:
        """Its status, as last seen."""


Sample = tuple[tuple[str, ...], float]


class SweepCollector(Collector):
    """Reads all sweeps at each scrape.

    `sweeps` is called in the thread that serves the scrape and must return a snapshot. A replica that does not lead
    returns none, so that no sweep is counted twice.
    """

    def __init__(self, sweeps: Callable[[], Iterable[MeasuredSweep]]) -> None:
        self._sweeps = sweeps

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The metrics without values, so that registering reads no sweep."""
        return _families(())

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One family per metric, samples of all sweeps in it."""
        return _families(tuple(self._sweeps()))


def _families(sweeps: tuple[MeasuredSweep, ...]) -> Iterator[GaugeMetricFamily]:
    yield _by_phase(sweeps)
    for name, (documentation, labels, samples) in _METRICS.items():
        family = GaugeMetricFamily(name, documentation, labels=(*_SWEEP, *labels))
        for sweep in sweeps:
            for values, number in samples(sweep.status):
                family.add_metric((sweep.namespace, sweep.name, *values), number)
        yield family


def _by_phase(sweeps: Iterable[MeasuredSweep]) -> GaugeMetricFamily:
    counts = dict.fromkeys(Phase, 0)
    for sweep in sweeps:
        counts[sweep.status.phase] += 1
    family = GaugeMetricFamily("synth_sweeps", "Sweeps by phase.", labels=("phase",))
    for phase, count in counts.items():
        family.add_metric((phase.value,), count)
    return family


def _phase(status: SweepStatus) -> Iterator[Sample]:
    yield (status.phase.value,), 1


def _conditions(status: SweepStatus) -> Iterator[Sample]:
    for condition in status.conditions:
        yield (condition.type.value, condition.status, condition.reason.value), 1


def _runs(status: SweepStatus) -> Iterator[Sample]:
    runs = status.runs
    yield ("cached",), runs.cached
    yield ("succeeded",), runs.succeeded
    yield ("failed",), runs.failed
    yield ("pending",), max(0, runs.total - runs.done - runs.failed)


def _failed_runs(status: SweepStatus) -> Iterator[Sample]:
    for count in status.failure_reasons:
        yield (count.reason,), count.runs


def _pods(status: SweepStatus) -> Iterator[Sample]:
    yield (), status.runs.active


def _throughput(status: SweepStatus) -> Iterator[Sample]:
    if status.runs_per_minute is not None:
        yield (), status.runs_per_minute / 60


def _stages(status: SweepStatus) -> Iterator[Sample]:
    for stage in status.usage.seconds:
        yield (stage.stage,), stage.seconds


def _gpu(status: SweepStatus) -> Iterator[Sample]:
    yield ("used",), status.usage.gpu_seconds_used
    yield ("lost",), status.usage.gpu_seconds_lost


def _bytes(status: SweepStatus) -> Iterator[Sample]:
    yield (), status.usage.bytes


def _times(status: SweepStatus) -> Iterator[Sample]:
    moments = {
        "started": status.start_time,
        "progressed": status.progress_time,
        "waiting_since": status.waiting_since,
        "expected_end": status.eta,
        "ended": status.completion_time,
    }
    yield from (((event,), _seconds(moment)) for event, moment in moments.items() if moment is not None)


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


_METRICS: Final[dict[str, tuple[str, tuple[str, ...], Callable[[SweepStatus], Iterator[Sample]]]]] = {
    "synth_sweep_phase": ("1 for the phase that the sweep is in.", ("phase",), _phase),
    "synth_sweep_condition": ("1 for each condition as it stands.", ("type", "status", "reason"), _conditions),
    "synth_sweep_runs": ("Runs of the current attempt: cached, succeeded, failed or pending.", ("result",), _runs),
    "synth_sweep_failed_runs": ("Failed runs of the current attempt by reason.", ("reason",), _failed_runs),
    "synth_sweep_active_pods": ("Render pods that run now.", (), _pods),
    "synth_sweep_runs_per_second": ("Throughput while it renders.", (), _throughput),
    "synth_sweep_stage_seconds": ("Seconds that the attempt's runs took, by stage.", ("stage",), _stages),
    "synth_sweep_gpu_seconds": ("GPU seconds of the attempt: used by runs that exist, or lost.", ("outcome",), _gpu),
    "synth_sweep_written_bytes": ("Bytes that the attempt wrote to the store.", (), _bytes),
    "synth_sweep_timestamp_seconds": ("Unix time of an event in the sweep's life.", ("event",), _times),
}
