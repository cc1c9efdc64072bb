"""What kstatus, GitOps tools and etcd see of a status, second by second."""

import json

import pytest
from simulated_cluster.world import NAME, World

from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

KILOBYTE = 1024


def conditions(world: World) -> dict[str, str]:
    return {condition.type.value: condition.status for condition in world.status.conditions}


def verdict(world: World) -> str:
    """As kstatus judges: see sigs.k8s.io/cli-utils, generic conditions."""
    body = world.api.objects[Resource.SWEEPS, NAME]
    if "deletionTimestamp" in body["metadata"]:
        return "Terminating"
    if world.status.observed_generation != body["metadata"]["generation"]:
        return "InProgress"
    held = conditions(world)
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
    world = World(runs=16, deletionPolicy="Delete")

    def note(seconds: int) -> None:
        for _ in range(seconds):
            world.second()
            if world.exists and world.status.observed_generation:
                seen.setdefault(world.status.phase, set()).add(verdict(world))

    note(8)
    world.edit(suspend=True)
    note(5)
    world.edit(suspend=False)
    note(30)
    world.store.impossible = {f"1/{number}" for number in range(100, 105)}
    world.edit(axes=[{"path": "seed", "values": [0, 1, *range(100, 105)]}])
    note(40)
    world.delete()
    note(10)

    for phase, judged in VERDICTS.items():
        expected = {judged, "InProgress"} if phase in (Phase.COMPLETE, Phase.FAILED) else {judged}
        # What has ended is in progress for the moment between an edit and its being seen; what goes is going.
        assert judged in seen[phase], phase
        assert seen[phase] <= expected | {"Terminating"}, phase


def test_ready_and_stalled_are_never_both_true() -> None:
    world = World(runs=12)
    world.store.impossible = {"1/3"}

    for _ in range(60):
        world.second()
        held = conditions(world)
        true = {kind for kind, status in held.items() if status == "True"}
        assert len(true & {"Ready", "Reconciling", "Stalled"}) <= 1


def test_a_condition_keeps_the_time_of_its_last_transition() -> None:
    world = World(runs=40)
    world.until_phase(Phase.PLANNING)
    (began,) = (c.last_transition_time for c in world.status.conditions if c.type == "Reconciling")

    world.until_phase(Phase.FINALIZING)

    (later,) = (c.last_transition_time for c in world.status.conditions if c.type == "Reconciling")
    assert later == began


def test_the_status_of_180_runs_has_at_most_two_kilobytes() -> None:
    world = World(runs=180, batchSize=9, parallelism=4)

    for _ in range(90):
        world.second()
        assert len(json.dumps(world.api.objects[Resource.SWEEPS, NAME]["status"])) <= 2 * KILOBYTE
    assert world.status.phase is Phase.COMPLETE


def test_a_status_full_of_failures_has_at_most_64_kilobytes() -> None:
    world = World(runs=200, batchSize=1, parallelism=40, maxFailedRuns="100%")
    world.store.impossible = {f"1/{number}" for number in range(200)}
    world.store.complaint = "x" * 512
    world.store.wording = "y" * 3000

    for _ in range(80):
        world.second()
        assert len(json.dumps(world.api.objects[Resource.SWEEPS, NAME]["status"])) <= 64 * KILOBYTE
    assert world.status.failures
    assert world.status.runs.failed == 200


@pytest.mark.parametrize("runs", [12, 180, 500])
def test_progress_is_written_in_steps(runs: int) -> None:
    world = World(runs=runs, batchSize=1, parallelism=2)

    world.until_ended()

    assert len([write for write in world.api.writes if write.startswith("status")]) <= 33 + 6
    assert world.status.progress == "100%"


def test_the_eta_follows_from_the_pace() -> None:
    world = World(runs=200, batchSize=4, parallelism=2)
    world.until(lambda world: world.status.runs.succeeded >= 60)
    expected = world.status.eta

    world.until_phase(Phase.FINALIZING)

    assert expected is not None
    assert abs((expected - world.api.now).total_seconds()) < 30
    assert world.status.eta is None
