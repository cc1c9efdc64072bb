"""Gauges of datasets, from their status at every scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_DATASET: Final = ("namespace", "dataset")
Place = tuple[str, str]


class MeasuredDataset(Protocol):
    """The parts of a dataset that the gauges show."""

    @property
    def namespace(self) -> str:
        """Namespace of the dataset."""

    @property
    def name(self) -> str:
        """Name of the dataset."""

    @property
    def dataset_status(self) -> DatasetStatus:
        """Status of the dataset in the watches' cache."""


class DatasetCollector(Collector):
    """Collector of the samples of all datasets; `datasets` returns none on a replica that does not lead."""

    def __init__(self, datasets: Callable[[], Iterable[MeasuredDataset]]) -> None:
        self._datasets = datasets

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics without samples."""
        return _build_families({})

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return one family per metric, with the samples of all datasets."""
        return _build_families({(each.namespace, each.name): each.dataset_status for each in self._datasets()})


def _build_families(statuses: Mapping[Place, DatasetStatus]) -> tuple[GaugeMetricFamily, ...]:
    phases = GaugeMetricFamily("synth_datasets", "Datasets by phase.", labels=("phase",))
    for phase in DatasetPhase:
        phases.add_metric((phase.value,), sum(status.phase is phase for status in statuses.values()))
    labels = (*_DATASET, "type", "status", "reason")
    conditions = GaugeMetricFamily(
        "synth_dataset_condition", "1 for each condition of a dataset with its current status.", labels=labels
    )
    runs = GaugeMetricFamily(
        "synth_dataset_runs", "Runs of the published version by split.", labels=(*_DATASET, "split")
    )
    times = GaugeMetricFamily(
        "synth_dataset_timestamp_seconds",
        "Unix time of an event of a dataset; absent if it did not happen.",
        labels=(*_DATASET, "event"),
    )
    for place, status in statuses.items():
        for each in status.conditions:
            conditions.add_metric((*place, each.type.value, each.status, each.reason.value), 1)
        for split in status.splits:
            runs.add_metric((*place, split.split), split.runs)
        for event, time in (("published", status.publication_time), ("waiting_since", status.waiting_since)):
            if time is not None:
                times.add_metric((*place, event), time.timestamp())
    return phases, conditions, runs, times
