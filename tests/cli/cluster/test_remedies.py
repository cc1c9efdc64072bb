from datetime import UTC, datetime

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_sweep import FailureCount, SweepSpec, SweepStatus
from synth_cli.cluster.cluster_sweep import ClusterSweep
from synth_cli.cluster.remedies import find_remedy, list_failure_remedies

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def sweep(status: SweepStatus, generation: int = 1) -> ClusterSweep:
    return ClusterSweep("lab", "beads", generation, NOW, SweepSpec.model_validate({"recipe": {}}), status)


def status_with(reason: Reason) -> SweepStatus:
    ready = Condition(type=ConditionType.READY, status="False", reason=reason, last_transition_time=NOW)
    return SweepStatus(observed_generation=1, conditions=(ready,))


def test_a_remedy_names_the_sweep_and_has_no_markdown() -> None:
    assert find_remedy(sweep(status_with(Reason.WORKER_FAILED))) == "Run synth logs beads: a pod ended unexpectedly."


def test_progress_has_no_remedy() -> None:
    assert find_remedy(sweep(status_with(Reason.RENDERING))) == ""
    assert find_remedy(sweep(SweepStatus())) == ""


def test_the_remedy_of_an_earlier_generation_is_not_shown() -> None:
    assert find_remedy(sweep(status_with(Reason.WORKER_FAILED), generation=2)) == ""


def test_each_reason_of_failed_runs_is_listed_with_its_remedy() -> None:
    counts = (FailureCount(reason="WorkerDied", runs=2), FailureCount(reason="WordOfTomorrow", runs=1))
    ((reason, remedy),) = list_failure_remedies(sweep(SweepStatus(failure_reasons=counts)))
    assert reason == "WorkerDied"
    assert remedy.startswith("Give the worker more memory")
