"""What kstatus, GitOps tools and etcd see of a status, second by second."""

import json

import pytest
from simulated_cluster.simulation import NAME, SimulatedCluster

from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

KILOBYTE = 1024


def conditions(cluster: SimulatedCluster) -> dict[str, str]:
    return {condition.type.value: condition.status for condition in cluster.status.conditions}


def verdict(cluster: SimulatedCluster) -> str:
    """As kstatus judges: see sigs.k8s.io/cli-utils, generic conditions."""
    body = cluster.api.objects[Resource.SWEEPS, NAME]
    if "deletionTimestamp" in body["metadata"]:
        return "Terminating"
    if cluster.status.observed_generation != body["metadata"]["generation"]:
        return "InProgress"
    held = conditions(cluster)
    if held.get("Reconciling") == "True":
        return "InProgress"
    if held.get("Stalled") == "True":
        return "Failed"
    return "Current" if held.get("Ready") == "True" else "InProgress"


VERDICTS = {
    Phase.PLANNING: "InProgress",
    Phase.RENDERING: "InProgress",
    Phase.FINALIZING: "InProgress",
    Phase.SUSPENDED: "InProgress",
    Phase.COMPLETE: "Current",
    Phase.FAILED: "Failed",
    Phase.DELETING: "Terminating",
}


def test_kstatus_reads_every_phase_correctly() -> None:
    seen: dict[Phase, set[str]] = {}
    cluster = SimulatedCluster(runs=16, deletionPolicy="Delete")

    def note(seconds: int) -> None:
        for _ in range(seconds):
            cluster.step()
            if cluster.exists and cluster.status.observed_generation:
                seen.setdefault(cluster.status.phase, set()).add(verdict(cluster))

    note(8)
    cluster.edit(suspend=True)
    note(5)
    cluster.edit(suspend=False)
    note(30)
    cluster.store.failing = {f"1/{number}" for number in range(100, 105)}
    cluster.edit(axes=[{"path": "seed", "values": [0, 1, *range(100, 105)]}])
    note(40)
    cluster.delete()
    note(10)

    for phase, judged in VERDICTS.items():
        expected = {judged, "InProgress"} if phase in (Phase.COMPLETE, Phase.FAILED) else {judged}
        # What has ended is in progress for the moment between an edit and its being seen; what goes is going.
        assert judged in seen[phase], phase
        assert seen[phase] <= expected | {"Terminating"}, phase


def test_ready_and_stalled_are_never_both_true() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.store.failing = {"1/3"}

    for _ in range(60):
        cluster.step()
        held = conditions(cluster)
        true = {kind for kind, status in held.items() if status == "True"}
        assert len(true & {"Ready", "Reconciling", "Stalled"}) <= 1


def test_a_condition_keeps_the_time_of_its_last_transition() -> None:
    cluster = SimulatedCluster(runs=40)
    cluster.run_until_phase(Phase.PLANNING)
    (began,) = (c.last_transition_time for c in cluster.status.conditions if c.type == "Reconciling")

    cluster.run_until_phase(Phase.FINALIZING)

    (later,) = (c.last_transition_time for c in cluster.status.conditions if c.type == "Reconciling")
    assert later == began


def test_the_status_of_180_runs_has_at_most_two_kilobytes() -> None:
    cluster = SimulatedCluster(runs=180, batchSize=9, parallelism=4)

    for _ in range(90):
        cluster.step()
        assert len(json.dumps(cluster.api.objects[Resource.SWEEPS, NAME]["status"])) <= 2 * KILOBYTE
    assert cluster.status.phase is Phase.COMPLETE


def test_a_status_full_of_failures_has_at_most_64_kilobytes() -> None:
    cluster = SimulatedCluster(runs=200, batchSize=1, parallelism=40, maxFailedRuns="100%")
    cluster.store.failing = {f"1/{number}" for number in range(200)}
    cluster.store.failure_message = "x" * 512
    cluster.store.long_override = "y" * 3000

    for _ in range(80):
        cluster.step()
        assert len(json.dumps(cluster.api.objects[Resource.SWEEPS, NAME]["status"])) <= 64 * KILOBYTE
    assert cluster.status.failures
    assert cluster.status.runs.failed == 200


@pytest.mark.parametrize("runs", [12, 180, 500])
def test_progress_is_written_in_steps(runs: int) -> None:
    cluster = SimulatedCluster(runs=runs, batchSize=1, parallelism=2)

    cluster.run_until_finished()

    assert len([write for write in cluster.api.writes if write.startswith("status")]) <= 33 + 6
    assert cluster.status.progress == "100%"


def test_the_eta_follows_from_the_pace() -> None:
    cluster = SimulatedCluster(runs=200, batchSize=4, parallelism=2)
    cluster.run_until(lambda cluster: cluster.status.runs.succeeded >= 60)
    expected = cluster.status.eta

    cluster.run_until_phase(Phase.FINALIZING)

    assert expected is not None
    assert abs((expected - cluster.api.now).total_seconds()) < 30
    assert cluster.status.eta is None
