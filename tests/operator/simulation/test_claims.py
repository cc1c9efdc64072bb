"""What is forged in a sweep's namespace: it neither stops the sweep nor counts beyond the batch that it is about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from controllers import build_controller
from simulated_cluster.checks import assert_rendered_once
from simulated_cluster.simulation import NAME, SimulatedCluster

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import ATTEMPT_LABEL, HASH_ANNOTATION, JOB_LABEL, OWNER_ANNOTATION, SHARD_LABEL, SWEEP_LABEL
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import JsonObject, Resource

INDEX = "batch.kubernetes.io/job-completion-index"
JOB_NAME = "batch.kubernetes.io/job-name"
HOSTILE = "\x1b[31m\u202ered"
RUNS = 12
FIXED = (
    "WorkerFailed: The plan pod ended with exit code 0 and a termination message that no worker writes; see its log."
)


def start_rendering(**spec: Any) -> SimulatedCluster:
    cluster = SimulatedCluster(runs=RUNS, **spec)
    cluster.run_until(lambda cluster: bool(cluster.jobs()))
    return cluster


def write(**fields: Any) -> str:
    return json.dumps({"kind": "batch", "batch": 0, "size": 2, **fields})


def forge_pod(cluster: SimulatedCluster, message: str, *, index: str = "0", code: int = 70, **metadata: Any) -> None:
    """Add a pod that has ended with a message, with the labels and index of a render pod."""
    (job,) = cluster.jobs()
    labels = {**job["metadata"]["labels"], JOB_NAME: "forged"}
    number = len(cluster.api.list_all(Resource.PODS))
    terminated = {"exitCode": code, "message": message, "finishedAt": cluster.api.format_time()}
    status = {"phase": "Failed", "containerStatuses": [{"state": {"terminated": terminated}}]}
    body = {"name": f"forged-{number}", "labels": labels, "annotations": {INDEX: index}, **metadata}
    cluster.api.add(Resource.PODS, {"metadata": body, "spec": {}, "status": status})


def find_controller_of_pods(cluster: SimulatedCluster) -> JsonObject:
    (job,) = cluster.jobs()
    return build_controller(Resource.JOBS, job["metadata"]["name"], job["metadata"]["uid"])


FORGED = (
    write(succeeded=10**3000),
    write(size=10**9, succeeded=10**9),
    write(bytes=1 << 63),
    write(size=100, failed=40),
    write(batch=5, size=2, failed=2),
    write(batch=10**6, failed=1),
    write(failed=1, reasons={"GateFailed": 40}),
    write(failed=1, failures=[{"run": RUNS, "reason": "GateFailed"}]),
    write(failed=2, failures=[{"run": 0, "reason": HOSTILE}, {"run": 0, "reason": HOSTILE}]),
    write(problem={"reason": "Complete", "message": HOSTILE}),
    json.dumps({"kind": "plan", "total": 10**6, "todo": 10**6, "batchSize": 100, "batches": 10**4}),
    json.dumps({"kind": "finalize", "total": RUNS, "succeeded": RUNS}),
    "[" * 4000,
    HOSTILE,
)


@pytest.mark.parametrize("message", FORGED)
def test_a_message_that_does_not_fit_its_batch_counts_nothing(message: str) -> None:
    cluster = start_rendering()
    forge_pod(cluster, message, ownerReferences=[find_controller_of_pods(cluster)])
    cluster.run_until_finished()

    assert (cluster.status.phase, cluster.status.runs.failed) == (Phase.COMPLETE, 0)
    assert_rendered_once(cluster)


def test_a_message_that_fits_fails_at_most_the_runs_of_its_batch() -> None:
    cluster = start_rendering(maxFailedRuns=2)
    cluster.check_invariants = lambda: None  # type: ignore[method-assign]  # counts what was forged
    failures = [{"run": run, "reason": HOSTILE, "message": HOSTILE, "overrides": {HOSTILE: HOSTILE}} for run in (0, 1)]
    message = write(failed=2, failures=failures, reasons={HOSTILE: 2})
    for _ in range(3):
        forge_pod(cluster, message, ownerReferences=[find_controller_of_pods(cluster)])
    cluster.run_until(lambda cluster: cluster.status.runs.failed > 0)

    assert cluster.status.runs.failed == 2
    assert cluster.status.runs.total == RUNS
    (event,) = (event for event in cluster.events if event.startswith("RunsFailed"))
    assert "2 runs failed so far: 2 EngineFailed." in event
    assert event.endswith("run 0 ([31m red=[31m red): [31m red")


@pytest.mark.parametrize("owner", ["none", "a Job of somebody else", "not as its controller"])
def test_a_pod_that_no_job_of_the_sweep_controls_counts_nothing(owner: str) -> None:
    cluster = start_rendering()
    references = {
        "none": [],
        "a Job of somebody else": [build_controller(Resource.JOBS, "other", "uid-other")],
        "not as its controller": [{**find_controller_of_pods(cluster), "controller": False}],
    }
    forge_pod(cluster, write(failed=2), code=ExitCode.NEVER, ownerReferences=references[owner])
    cluster.run_until_finished()

    assert (cluster.status.phase, cluster.status.runs.failed) == (Phase.COMPLETE, 0)
    assert_rendered_once(cluster)


@pytest.mark.parametrize("index", ["first", "-1", "9" * 5000, "100000"])
def test_an_index_of_no_batch_counts_nothing(index: str) -> None:
    cluster = start_rendering()
    forge_pod(cluster, write(failed=2), index=index, ownerReferences=[find_controller_of_pods(cluster)])
    cluster.run_until_finished()

    assert (cluster.status.phase, cluster.status.runs.failed) == (Phase.COMPLETE, 0)


def test_a_running_pod_that_no_job_controls_delays_nothing() -> None:
    cluster = SimulatedCluster(runs=RUNS)
    labels = {
        SWEEP_LABEL: NAME,
        JOB_LABEL: JobKind.RENDER.value,
        JOB_NAME: "forged",
        ATTEMPT_LABEL: "0",
        SHARD_LABEL: "0",
    }
    metadata = {"name": "forged", "labels": labels, "annotations": {INDEX: "0"}}
    cluster.api.add(Resource.PODS, {"metadata": metadata, "spec": {}, "status": {"phase": "Unknown"}})
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE


@pytest.mark.parametrize("labels", [{}, {JOB_LABEL: "render"}, {JOB_LABEL: "wonderful"}, {JOB_LABEL: "delete"}])
@pytest.mark.parametrize("controlled", [True, False])
def test_a_job_with_our_label_stops_nothing(labels: dict[str, str], controlled: bool) -> None:
    cluster = SimulatedCluster(runs=RUNS)
    sweep = cluster.api.objects[Resource.SWEEPS, NAME]["metadata"]
    owners = [build_controller(Resource.SWEEPS, NAME, sweep["uid"] if controlled else "uid-of-a-former-sweep")]
    metadata = {"name": "forged", "labels": {SWEEP_LABEL: NAME, JOB_LABEL: "", SHARD_LABEL: "x", **labels}}
    body = {"metadata": {**metadata, "ownerReferences": owners}, "spec": {"completions": 0, "parallelism": 0}}
    cluster.api.add(Resource.JOBS, {**body, "status": {"conditions": []}})
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert_rendered_once(cluster)
    assert (Resource.JOBS, "forged") in cluster.api.objects


@pytest.mark.parametrize("resource", [Resource.JOBS, Resource.INPUTS])
def test_a_foreign_object_in_the_place_of_ours_is_named_although_it_has_our_annotations(resource: Resource) -> None:
    rehearsal = SimulatedCluster(runs=RUNS)
    rehearsal.run_until(lambda cluster: bool(cluster.jobs(JobKind.PLAN)))
    (ours,) = rehearsal.api.list_all(resource)
    name = ours["metadata"]["name"]
    forged = {key: ours["metadata"][key] for key in ("name", "labels", "annotations")}
    assert {OWNER_ANNOTATION, HASH_ANNOTATION} <= forged["annotations"].keys()

    cluster = SimulatedCluster(runs=RUNS)
    cluster.api.add(resource, {"metadata": forged, "spec": {}, "data": {}, "status": {"conditions": [{"forged": 1}]}})
    cluster.run_for(10)
    assert cluster.ready == f"NameTaken: The name '{name}' belongs to an object of another owner; delete that object."

    cluster.api.remove(resource, name)
    cluster.run_until_finished()
    assert cluster.status.phase is Phase.COMPLETE


def test_a_plan_that_does_not_fit_is_a_failed_worker_and_made_again_later() -> None:
    cluster = SimulatedCluster(runs=RUNS)
    cluster.run_until(lambda cluster: bool(cluster.api.list_all(Resource.PODS)))
    plan = {"kind": "plan", "total": 10**6, "todo": 10**6, "batchSize": 100, "batches": 10**4}
    (pod,) = cluster.api.list_all(Resource.PODS)
    cluster.nodes.end_pod(pod, ExitCode.OK, json.dumps(plan))
    cluster.run_until_phase(Phase.WAITING)

    assert cluster.ready == FIXED
    assert cluster.status.runs.total == RUNS
    cluster.run_until_finished()
    assert cluster.status.phase is Phase.COMPLETE
