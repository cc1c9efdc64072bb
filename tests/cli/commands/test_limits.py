"""`synth limits`: limits, use and who waits, as the operator reports them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.namespace_limits import LimitsUse, NamespaceLimits
from synth_api.resources.synth_dataset import DatasetPhase, DatasetSpec, DatasetStatus
from synth_api.resources.synth_sweep import Phase, SweepSpec, SweepStatus
from synth_cli.cluster.cluster_dataset import ClusterDataset
from synth_cli.cluster.cluster_sweep import ClusterSweep
from synth_cli.cluster.limits_report import list_limited_owners, read_limits
from synth_cli.commands.limits import build_document, print_limits

if TYPE_CHECKING:
    from synth_cli.cluster.connection import Cluster

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
LIMITS = NamespaceLimits(sweeps=2, gpus=8, runs_per_sweep=100_000, gpu_hours_per_day=96)
REPORT = LimitsUse(limits=LIMITS, use={"sweeps": 2, "pods": 40, "gpus": 6, "gpuHoursPerDay": 31.25}, waiting=1)
MESSAGE = "The limit of this namespace, 2 sweeps at work, is reached; sweeps go on in order of age."


def sweep(name: str, minutes: int, reason: Reason = Reason.LIMITED) -> ClusterSweep:
    ready = Condition(
        type=ConditionType.READY, status="False", reason=reason, message=MESSAGE, last_transition_time=NOON
    )
    status = SweepStatus(phase=Phase.WAITING, conditions=(ready,), waiting_since=NOON)
    return ClusterSweep("lab", name, 1, NOON + timedelta(minutes=minutes), SweepSpec(), status)


def dataset(name: str, minutes: int) -> ClusterDataset:
    ready = Condition(
        type=ConditionType.READY, status="False", reason=Reason.LIMITED, message=MESSAGE, last_transition_time=NOON
    )
    status = DatasetStatus(phase=DatasetPhase.WAITING, conditions=(ready,), waiting_since=NOON)
    sources = [{"sweepRef": {"name": "beads"}}]
    spec = DatasetSpec.model_validate({"version": "1", "sources": sources, "exports": [{"format": "coco"}]})
    return ClusterDataset("lab", name, 1, NOON + timedelta(minutes=minutes), spec, status)


class TrialCluster:
    """Namespace with a report and sweeps."""

    namespace = "lab"

    def __init__(self, report: str | None, *sweeps: ClusterSweep) -> None:
        self.report = report
        self.sweeps = sweeps

    def read_config_map(self, name: str) -> dict[str, str] | None:
        assert name == "synth-limits"
        return {"limits.json": self.report} if self.report else None

    def list_sweeps(self) -> list[ClusterSweep]:
        return list(self.sweeps)

    def list_datasets(self) -> list[ClusterDataset]:
        return [dataset("sem", 3)] if self.sweeps else []


def show(cluster: Cluster) -> str:
    out = StringIO()
    print_limits("lab", read_limits(cluster), list_limited_owners(cluster), Console(file=out, width=120))
    return out.getvalue()


def trial(report: str | None, *sweeps: ClusterSweep) -> Cluster:
    cluster: Cluster = TrialCluster(report, *sweeps)  # type: ignore[assignment]
    return cluster


def test_limits_use_and_waiting_sweeps_are_tables() -> None:
    text = show(trial(REPORT.model_dump_json(), sweep("young", 5), sweep("old", 1), sweep("other", 0, Reason.QUEUED)))

    assert [line.split() for line in text.splitlines()[:5]] == [
        ["limit", "in", "use", "of"],
        ["sweeps", "at", "work", "2", "2"],
        ["GPUs", "at", "once", "6", "8"],
        ["runs", "per", "sweep", "100,000"],
        ["GPU", "hours", "per", "day", "(UTC)", "31.25", "96"],
    ]
    assert text.index("old") < text.index("dataset/sem") < text.index("young")
    assert "other" not in text
    assert "2026-01-02 12:00 UTC" in text


def test_a_namespace_without_a_report_says_so() -> None:
    assert show(trial(None)) == "lab: the operator has reported no limits; it does so with the first sweep\n"


def test_json_names_limits_use_and_waiting_sweeps() -> None:
    assert build_document("lab", REPORT, [sweep("old", 1)]) == {
        "namespace": "lab",
        "limits": {"sweeps": 2, "gpus": 8, "runsPerSweep": 100_000, "gpuHoursPerDay": 96.0},
        "use": {"sweeps": 2.0, "gpus": 6.0, "gpuHoursPerDay": 31.25},
        "waiting": ["old"],
    }


@pytest.mark.parametrize("text", ["{", '{"limits": {"sweeps": "many"}}'])
def test_a_report_that_cannot_be_read_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="ConfigMap synth-limits: cannot be read; "):
        read_limits(trial(text))
