"""Gauges of sweeps, from their status at every scrape: exact after a restart, absent after the sweep's deletion."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from synth_api.resources.synth_sweep import Phase, SweepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_SWEEP: Final = ("namespace", "sweep")


class MeasuredSweep(Protocol):
    """The parts of a sweep that the gauges show."""

    @property
    def namespace(self) -> str:
        """Namespace of the sweep."""

    @property
    def name(self) -> str:
        """Name of the sweep."""

    @property
    def version(self) -> int:
        """Resource version: the same one has the same status."""

    @property
    def status(self) -> SweepStatus:
        """Status of the sweep in the watches' cache; reading it takes time."""


Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True)
class _MeasuredVersion:
    """Samples of a sweep in one version, by metric."""

    version: int
    phase: Phase
    samples: tuple[tuple[Sample, ...], ...]


class SweepCollector(Collector):
    """Collector of the samples of all sweeps; only those of new versions are read at a scrape.

    `sweeps` is called in the thread that serves the scrape and must return a snapshot. A replica that does not lead
    returns none, so that no sweep is counted twice.
    """

    def __init__(self, sweeps: Callable[[], Iterable[MeasuredSweep]]) -> None:
        self._sweeps = sweeps
        self._lock = Lock()
        self._measured: dict[tuple[str, str], _MeasuredVersion] = {}

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics without samples, so that registration reads no sweep."""
        return _build_families({})

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return one family per metric, with the samples of all sweeps."""
        with self._lock:
            former, self._measured = self._measured, {}
            for sweep in self._sweeps():
                place = sweep.namespace, sweep.name
                known = former.get(place)
                self._measured[place] = known if known and known.version == sweep.version else _measure(sweep)
            return _build_families(self._measured)


def _measure(sweep: MeasuredSweep) -> _MeasuredVersion:
    status = sweep.status
    samples = tuple(tuple(read_samples(status)) for _, _, read_samples in _METRICS.values())
    return _MeasuredVersion(sweep.version, status.phase, samples)


def _build_families(sweeps: Mapping[tuple[str, str], _MeasuredVersion]) -> Iterator[GaugeMetricFamily]:
    yield _count_by_phase(sweeps.values())
    for number, (name, (documentation, labels, _)) in enumerate(_METRICS.items()):
        family = GaugeMetricFamily(name, documentation, labels=(*_SWEEP, *labels))
        for place, measured in sweeps.items():
            for values, value in measured.samples[number]:
                family.add_metric((*place, *values), value)
        yield family


def _count_by_phase(sweeps: Iterable[_MeasuredVersion]) -> GaugeMetricFamily:
    counts = dict.fromkeys(Phase, 0)
    for sweep in sweeps:
        counts[sweep.phase] += 1
    family = GaugeMetricFamily("synth_sweeps", "Sweeps by phase.", labels=("phase",))
    for phase, count in counts.items():
        family.add_metric((phase.value,), count)
    return family


def _read_phase(status: SweepStatus) -> Iterator[Sample]:
    yield (status.phase.value,), 1


def _read_conditions(status: SweepStatus) -> Iterator[Sample]:
    for condition in status.conditions:
        yield (condition.type.value, condition.status, condition.reason.value), 1


def _read_runs(status: SweepStatus) -> Iterator[Sample]:
    runs = status.runs
    yield ("cached",), runs.cached
    yield ("succeeded",), runs.succeeded
    yield ("failed",), runs.failed
    yield ("pending",), max(0, runs.total - runs.existing - runs.failed)


def _read_failed_runs(status: SweepStatus) -> Iterator[Sample]:
    for count in status.failure_reasons:
        yield (count.reason,), count.runs


def _read_pods(status: SweepStatus) -> Iterator[Sample]:
    yield (), status.runs.active


def _read_throughput(status: SweepStatus) -> Iterator[Sample]:
    if status.runs_per_minute is not None:
        yield (), status.runs_per_minute / 60


def _read_stages(status: SweepStatus) -> Iterator[Sample]:
    for stage in status.usage.seconds:
        yield (stage.stage,), stage.seconds


def _read_gpu(status: SweepStatus) -> Iterator[Sample]:
    yield ("used",), status.usage.gpu_seconds_used
    yield ("lost",), status.usage.gpu_seconds_lost
    yield ("startup",), status.usage.gpu_seconds_startup or 0.0


def _read_spent(status: SweepStatus) -> Iterator[Sample]:
    yield ("gpu",), status.spent.gpu_seconds
    yield ("cpu",), status.spent.cpu_seconds


def _read_forecast(status: SweepStatus) -> Iterator[Sample]:
    if status.forecast is not None:
        yield ("gpu",), status.forecast.gpu_hours * 3600
        yield ("cpu",), status.forecast.cpu_hours * 3600


def _read_cost(status: SweepStatus) -> Iterator[Sample]:
    if status.forecast is not None and status.forecast.cost is not None:
        yield (), status.forecast.cost


def _read_bytes(status: SweepStatus) -> Iterator[Sample]:
    yield (), status.usage.bytes


def _read_times(status: SweepStatus) -> Iterator[Sample]:
    moments = {
        "started": status.start_time,
        "progressed": status.progress_time,
        "waiting_since": status.waiting_since,
        "expected_end": status.eta,
        "ended": status.completion_time,
    }
    yield from (((event,), moment.timestamp()) for event, moment in moments.items() if moment is not None)


_METRICS: Final[dict[str, tuple[str, tuple[str, ...], Callable[[SweepStatus], Iterator[Sample]]]]] = {
    "synth_sweep_phase": ("1 for the phase of the sweep.", ("phase",), _read_phase),
    "synth_sweep_condition": (
        "1 for each condition with its current status.",
        ("type", "status", "reason"),
        _read_conditions,
    ),
    "synth_sweep_runs": ("Runs of the current attempt: cached, succeeded, failed or pending.", ("result",), _read_runs),
    "synth_sweep_failed_runs": ("Failed runs of the current attempt by reason.", ("reason",), _read_failed_runs),
    "synth_sweep_active_pods": ("Running render pods.", (), _read_pods),
    "synth_sweep_runs_per_second": ("Throughput while the sweep renders.", (), _read_throughput),
    "synth_sweep_stage_seconds": ("Render seconds of the attempt's runs, by stage.", ("stage",), _read_stages),
    "synth_sweep_gpu_seconds": (
        "GPU seconds of the attempt: used by finished runs, lost, or before the first run of a pod.",
        ("outcome",),
        _read_gpu,
    ),
    "synth_sweep_spent_seconds": (
        "Seconds of all attempts' render pods, times GPUs or CPUs.",
        ("resource",),
        _read_spent,
    ),
    "synth_sweep_forecast_seconds": (
        "What synth_sweep_spent_seconds will be at the end of the sweep.",
        ("resource",),
        _read_forecast,
    ),
    "synth_sweep_forecast_cost": ("Cost of the GPUs at the end of the sweep.", (), _read_cost),
    "synth_sweep_written_bytes": ("Bytes that the attempt wrote to the store.", (), _read_bytes),
    "synth_sweep_timestamp_seconds": ("Unix time of an event of the sweep.", ("event",), _read_times),
}
