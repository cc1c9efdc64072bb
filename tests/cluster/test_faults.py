"""What befalls a sweep: workers, pods, Jobs, the node and the store go, and the labels are those of a quiet day."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.cluster import until
from harness.faults import drained, kill_processes, lost, stopped
from spheres import FILE, NUMBER, SEED, SMALL_PICTURE, bucket, labels, recipe

from synth_api.exit_codes import ExitCode
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore
from synth_operator.decide.outcome import ready_reason

if TYPE_CHECKING:
    from harness.lab import Lab

RUNS: Final = 12
OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({RUNS})"]
MINUTE: Final = 60
PATIENCE: Final = 300
"""Seconds for what a busy machine does slowly."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run key -> label digest, as a laptop has them."""
    folder = tmp_path_factory.mktemp("laptop")
    assert run(["render", str(FILE), *OVERRIDES, "--out", str(folder)]) == 0
    return labels(FolderStore(folder))


def begin(lab: Lab, name: str, **spec: Any) -> None:
    """A sweep of two pods at a time; returns when something of it exists."""
    lab.recipe("spheres-sem", recipe())
    lab.sweep(name, "spheres-sem", **{"overrides": OVERRIDES, "parallelism": 2, "batchSize": 2, **spec})
    until_more_runs(lab, name)


def until_more_runs(lab: Lab, name: str) -> None:
    known = min(runs(lab), RUNS - 1)  # a worker may die between its last run and its last word
    until(lambda: runs(lab) > known, lambda: f"nothing is rendered; {lab.report(name)}", PATIENCE)


def runs(lab: Lab) -> int:
    return len(tuple(bucket(lab).keys()))


def assert_as_if_nothing_had_happened(lab: Lab, name: str, undisturbed: dict[str, str]) -> None:
    status = lab.finished(name)
    assert (status.phase, status.runs.done, status.runs.failed) == (Phase.COMPLETE, RUNS, 0), lab.report(name)
    assert labels(bucket(lab)) == undisturbed


def test_a_run_that_kills_its_worker_fails_after_its_retries_and_its_neighbours_are_rendered(
    lab: Lab, undisturbed: dict[str, str]
) -> None:
    lab.recipe("spheres-sem", recipe())
    lab.sweep(
        "deadly",
        "spheres-sem",
        overrides=[*OVERRIDES[:2], f"{SEED}=range(6)"],
        podTemplate=lab.trial_engine("faulty", DEADLY="1", GREEDY="4"),
        resources={"requests": {"cpu": "100m"}, "limits": {"memory": "2Gi"}},
        **{"parallelism": 2, "batchSize": 3, "retriesPerRun": 1, "maxFailedRuns": 2},
    )
    until(lambda: ends(lab, "deadly", "OOMKilled"), lambda: f"no pod met its limit; {lab.report('deadly')}", PATIENCE)

    status = lab.finished("deadly")

    assert (status.phase, status.runs.succeeded, status.runs.failed) == (Phase.COMPLETE, 4, 2)
    failures = {failure.overrides[SEED]: (failure.reason, failure.message) for failure in status.failures}
    message = "its worker died in each of 2 tries: out of memory, a crash of Blender or a lost node"
    assert failures == dict.fromkeys((1, 4), ("WorkerDied", message))
    assert len(labels(bucket(lab))) == 4
    assert labels(bucket(lab)).items() <= undisturbed.items()


def ends(lab: Lab, name: str, reason: str = "", code: int | None = None) -> bool:
    """Whether a render pod has ended so."""
    states = (each["state"] for pod in lab.pods(name, "render") for each in pod["status"].get("containerStatuses", ()))
    ended = [state["terminated"] for state in states if "terminated" in state]
    return any(reason in (each["reason"], "") and code in (each["exitCode"], None) for each in ended)


def workers(lab: Lab, name: str) -> list[str]:
    """Waits until there are some."""
    found: list[str] = []

    def look() -> bool:
        found[:] = lab.working(name)
        return bool(found)

    until(look, lambda: f"no worker; {lab.report(name)}", PATIENCE)
    return found


def kill_a_worker(lab: Lab, name: str, pod: str) -> None:
    kill_processes(lab.cluster, pod)
    until(lambda: pod not in lab.working(name), "a killed worker goes on")


def delete_a_pod(lab: Lab, _: str, pod: str) -> None:
    lab.cluster.kubectl("-n", lab.namespace, "delete", "pod", pod)


def delete_the_job(lab: Lab, name: str, _: str) -> None:
    (job,) = lab.jobs(name, "render")
    lab.cluster.kubectl("-n", lab.namespace, "delete", "job", job["metadata"]["name"])


def test_killed_workers_and_deleted_pods_and_jobs_leave_no_trace(lab: Lab, undisturbed: dict[str, str]) -> None:
    dice = random.Random(20261127)
    begin(lab, "unlucky")
    for fault in (kill_a_worker, delete_a_pod, delete_the_job, kill_a_worker):
        fault(lab, "unlucky", dice.choice(workers(lab, "unlucky")))
        until_more_runs(lab, "unlucky")

    assert_as_if_nothing_had_happened(lab, "unlucky", undisturbed)


def test_a_drained_node_leaves_no_trace(lab: Lab, undisturbed: dict[str, str]) -> None:
    begin(lab, "evicted")
    with drained(lab.cluster):
        assert not lab.working("evicted")
        assert runs(lab) < RUNS

    assert_as_if_nothing_had_happened(lab, "evicted", undisturbed)


def test_a_lost_node_leaves_no_trace(lab: Lab, undisturbed: dict[str, str]) -> None:
    begin(lab, "lost")
    known = {pod["metadata"]["uid"] for pod in lab.pods("lost", "render")}
    with lost(lab.cluster):
        until(
            lambda: not known & {pod["metadata"]["uid"] for pod in lab.pods("lost", "render")},
            lambda: f"the pods of the lost node are still there; {lab.report('lost')}",
            PATIENCE,
        )
        assert runs(lab) < RUNS

    assert_as_if_nothing_had_happened(lab, "lost", undisturbed)


def test_a_store_that_is_away_for_a_minute_leaves_no_trace(lab: Lab, undisturbed: dict[str, str]) -> None:
    begin(lab, "rendering")
    with stopped(lab.store):
        end = time.monotonic() + MINUTE
        lab.sweep("new", "spheres-sem", overrides=OVERRIDES)
        lab.until("new", lambda status: ready_reason(status) is Reason.STORE_UNREACHABLE, "it is not told")
        until(lambda: time.monotonic() > end, "a minute is long", 2 * MINUTE)
        assert lab.status("rendering").phase is Phase.RENDERING

    assert_as_if_nothing_had_happened(lab, "rendering", undisturbed)
    assert lab.finished("new").phase is Phase.COMPLETE


def test_a_worker_that_may_not_use_its_store_any_more_says_so_and_is_tried_again(
    lab: Lab, undisturbed: dict[str, str]
) -> None:
    begin(lab, "locked-out")
    lab.make_secret("another key")
    for pod in lab.working("locked-out"):
        lab.cluster.kubectl("-n", lab.namespace, "delete", "pod", pod)

    lab.until("locked-out", lambda status: ready_reason(status) is Reason.ACCESS_DENIED, "it is not told")
    assert ends(lab, "locked-out", code=ExitCode.TRY_AGAIN)
    lab.make_secret()

    assert_as_if_nothing_had_happened(lab, "locked-out", undisturbed)
