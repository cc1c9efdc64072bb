"""What befalls a sweep: workers, pods, Jobs, the node and the store go, and the labels are those of a quiet day."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.cluster import wait_until
from harness.faults import drain_node, kill_processes, lose_node, stop_store
from spheres import FILE, NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket, read_label_digests

from synth_api.exit_codes import ExitCode
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore
from synth_operator.decide.outcome import ready_reason

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

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
    return read_label_digests(FolderStore(folder))


def begin(namespace: SweepNamespace, name: str, **spec: Any) -> None:
    """A sweep of two pods at a time; returns when something of it exists."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", **{"overrides": OVERRIDES, "parallelism": 2, "batchSize": 2, **spec})
    until_more_runs(namespace, name)


def until_more_runs(namespace: SweepNamespace, name: str) -> None:
    known = min(runs(namespace), RUNS - 1)  # a worker may die between its last run and its last word
    wait_until(
        lambda: runs(namespace) > known, lambda: f"nothing is rendered; {namespace.describe_sweep(name)}", PATIENCE
    )


def runs(namespace: SweepNamespace) -> int:
    return len(tuple(open_bucket(namespace).keys()))


def assert_as_if_nothing_had_happened(namespace: SweepNamespace, name: str, undisturbed: dict[str, str]) -> None:
    status = namespace.wait_for_end(name)
    assert (status.phase, status.runs.done, status.runs.failed) == (Phase.COMPLETE, RUNS, 0), namespace.describe_sweep(
        name
    )
    assert read_label_digests(open_bucket(namespace)) == undisturbed


def test_a_run_that_kills_its_worker_fails_after_its_retries_and_its_neighbours_are_rendered(
    namespace: SweepNamespace, undisturbed: dict[str, str]
) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(
        "deadly",
        "spheres-sem",
        overrides=[*OVERRIDES[:2], f"{SEED}=range(6)"],
        podTemplate=namespace.apply_trial_engine("render_faulty", DEADLY="1", GREEDY="4"),
        resources={"requests": {"cpu": "100m"}, "limits": {"memory": "2Gi"}},
        **{"parallelism": 2, "batchSize": 3, "retriesPerRun": 1, "maxFailedRuns": 2},
    )
    wait_until(
        lambda: ends(namespace, "deadly", "OOMKilled"),
        lambda: f"no pod met its limit; {namespace.describe_sweep('deadly')}",
        PATIENCE,
    )

    status = namespace.wait_for_end("deadly")

    assert (status.phase, status.runs.succeeded, status.runs.failed) == (Phase.COMPLETE, 4, 2)
    failures = {failure.overrides[SEED]: (failure.reason, failure.message) for failure in status.failures}
    message = "its worker died in each of 2 tries: out of memory, a crash of Blender or a lost node"
    assert failures == dict.fromkeys((1, 4), ("WorkerDied", message))
    assert len(read_label_digests(open_bucket(namespace))) == 4
    assert read_label_digests(open_bucket(namespace)).items() <= undisturbed.items()


def ends(namespace: SweepNamespace, name: str, reason: str = "", code: int | None = None) -> bool:
    """Whether a render pod has ended so."""
    states = (
        each["state"]
        for pod in namespace.list_pods(name, "render")
        for each in pod["status"].get("containerStatuses", ())
    )
    ended = [state["terminated"] for state in states if "terminated" in state]
    return any(reason in (each["reason"], "") and code in (each["exitCode"], None) for each in ended)


def workers(namespace: SweepNamespace, name: str) -> list[str]:
    """Waits until there are some."""
    found: list[str] = []

    def look() -> bool:
        found[:] = namespace.list_running_pods(name)
        return bool(found)

    wait_until(look, lambda: f"no worker; {namespace.describe_sweep(name)}", PATIENCE)
    return found


def kill_a_worker(namespace: SweepNamespace, name: str, pod: str) -> None:
    kill_processes(namespace.cluster, pod)
    wait_until(lambda: pod not in namespace.list_running_pods(name), "a killed worker goes on")


def delete_a_pod(namespace: SweepNamespace, _: str, pod: str) -> None:
    namespace.kubectl("delete", "pod", pod)


def delete_the_job(namespace: SweepNamespace, name: str, _: str) -> None:
    (job,) = namespace.list_jobs(name, "render")
    namespace.kubectl("delete", "job", job["metadata"]["name"])


def test_killed_workers_and_deleted_pods_and_jobs_leave_no_trace(
    namespace: SweepNamespace, undisturbed: dict[str, str]
) -> None:
    dice = random.Random(20261127)
    begin(namespace, "unlucky")
    for fault in (kill_a_worker, delete_a_pod, delete_the_job, kill_a_worker):
        fault(namespace, "unlucky", dice.choice(workers(namespace, "unlucky")))
        until_more_runs(namespace, "unlucky")

    assert_as_if_nothing_had_happened(namespace, "unlucky", undisturbed)


def test_a_drained_node_leaves_no_trace(namespace: SweepNamespace, undisturbed: dict[str, str]) -> None:
    begin(namespace, "evicted")
    with drain_node(namespace.cluster):
        assert not namespace.list_running_pods("evicted")
        assert runs(namespace) < RUNS

    assert_as_if_nothing_had_happened(namespace, "evicted", undisturbed)


def test_a_lost_node_leaves_no_trace(namespace: SweepNamespace, undisturbed: dict[str, str]) -> None:
    begin(namespace, "lost")
    known = {pod["metadata"]["uid"] for pod in namespace.list_pods("lost", "render")}
    with lose_node(namespace.cluster):
        wait_until(
            lambda: not known & {pod["metadata"]["uid"] for pod in namespace.list_pods("lost", "render")},
            lambda: f"the pods of the lost node are still there; {namespace.describe_sweep('lost')}",
            PATIENCE,
        )
        assert runs(namespace) < RUNS

    assert_as_if_nothing_had_happened(namespace, "lost", undisturbed)


def test_a_store_that_is_away_for_a_minute_leaves_no_trace(
    namespace: SweepNamespace, undisturbed: dict[str, str]
) -> None:
    begin(namespace, "rendering")
    with stop_store(namespace.store):
        end = time.monotonic() + MINUTE
        namespace.apply_sweep("new", "spheres-sem", overrides=OVERRIDES)
        namespace.wait_for_status(
            "new", lambda status: ready_reason(status) is Reason.STORE_UNREACHABLE, "it is not told"
        )
        wait_until(lambda: time.monotonic() > end, "a minute is long", 2 * MINUTE)
        assert namespace.read_status("rendering").phase is Phase.RENDERING

    assert_as_if_nothing_had_happened(namespace, "rendering", undisturbed)
    assert namespace.wait_for_end("new").phase is Phase.COMPLETE


def test_a_worker_that_may_not_use_its_store_any_more_says_so_and_is_tried_again(
    namespace: SweepNamespace, undisturbed: dict[str, str]
) -> None:
    begin(namespace, "locked-out")
    namespace.apply_secret("another key")
    for pod in namespace.list_running_pods("locked-out"):
        namespace.kubectl("delete", "pod", pod)

    namespace.wait_for_status(
        "locked-out", lambda status: ready_reason(status) is Reason.ACCESS_DENIED, "it is not told"
    )
    assert ends(namespace, "locked-out", code=ExitCode.TRY_AGAIN)
    namespace.apply_secret()

    assert_as_if_nothing_had_happened(namespace, "locked-out", undisturbed)
