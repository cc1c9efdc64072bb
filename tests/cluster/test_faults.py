"""Faults during a sweep: workers, pods, Jobs, the node and the store fail, and the labels stay the same."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.faults import drain_node, kill_processes, lose_node, stop_store
from spheres import FILE, NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket, read_label_digests, read_manifests
from waiting import wait_until

from synth_api.exit_codes import ExitCode
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.documents.layout import run_path
from synth_dataset.store.folder_store import FolderStore
from synth_operator.decide.outcome import find_ready_reason

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

RUNS: Final = 12
OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({RUNS})"]
MINUTE: Final = 60
PATIENCE: Final = 300
"""Seconds that suffice on a busy machine."""


@pytest.fixture(scope="module")
def expected_labels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run key -> label digest of the same runs, rendered locally."""
    folder = tmp_path_factory.mktemp("laptop")
    assert run(["render", str(FILE), *OVERRIDES, "--out", str(folder)]) == 0
    return read_label_digests(FolderStore(folder))


def start_sweep(namespace: SweepNamespace, name: str, **spec: Any) -> None:
    """Apply a sweep of two pods at a time and wait for its first run."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", **{"overrides": OVERRIDES, "parallelism": 2, "batchSize": 2, **spec})
    wait_for_more_runs(namespace, name)


def wait_for_more_runs(namespace: SweepNamespace, name: str) -> None:
    known = min(count_runs(namespace), RUNS - 1)  # a worker may die between its last run and its message
    wait_until(
        lambda: count_runs(namespace) > known,
        lambda: f"no run was rendered; {namespace.describe_sweep(name)}",
        PATIENCE,
    )


def count_runs(namespace: SweepNamespace) -> int:
    return len(tuple(open_bucket(namespace).iterate_keys()))


def assert_complete_with_labels(namespace: SweepNamespace, name: str, expected_labels: dict[str, str]) -> None:
    status = namespace.wait_for_end(name)
    assert (status.phase, status.runs.existing, status.runs.failed) == (Phase.COMPLETE, RUNS, 0), (
        namespace.describe_sweep(name)
    )
    assert read_label_digests(open_bucket(namespace)) == expected_labels


def test_a_run_that_crashes_its_worker_fails_after_its_retries_and_its_batch_completes(
    namespace: SweepNamespace, expected_labels: dict[str, str]
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
        lambda: has_ended_pod(namespace, "deadly", "OOMKilled"),
        lambda: f"no pod met its limit; {namespace.describe_sweep('deadly')}",
        PATIENCE,
    )

    status = namespace.wait_for_end("deadly")

    assert (status.phase, status.runs.succeeded, status.runs.failed) == (Phase.COMPLETE, 4, 2)
    failures = {failure.overrides[SEED]: (failure.reason, failure.message) for failure in status.failures}
    message = "its worker died in each of 2 tries: out of memory, a crash of Blender or a lost node"
    assert failures == dict.fromkeys((1, 4), ("WorkerDied", message))
    assert len(read_label_digests(open_bucket(namespace))) == 4
    assert read_label_digests(open_bucket(namespace)).items() <= expected_labels.items()


def has_ended_pod(namespace: SweepNamespace, name: str, reason: str = "", code: int | None = None) -> bool:
    """Return True if a render pod has ended with this reason and exit code."""
    states = (
        each["state"]
        for pod in namespace.list_pods(name, "render")
        for each in pod["status"].get("containerStatuses", ())
    )
    ended = [state["terminated"] for state in states if "terminated" in state]
    return any(reason in (each["reason"], "") and code in (each["exitCode"], None) for each in ended)


def wait_for_running_pods(namespace: SweepNamespace, name: str) -> list[str]:
    """Wait for running render pods and return their names."""
    found: list[str] = []

    def find_pods() -> bool:
        found[:] = namespace.list_running_pods(name)
        return bool(found)

    wait_until(find_pods, lambda: f"no worker; {namespace.describe_sweep(name)}", PATIENCE)
    return found


def kill_pod_processes(namespace: SweepNamespace, name: str, pod: str) -> None:
    kill_processes(namespace.cluster, pod)
    wait_until(lambda: pod not in namespace.list_running_pods(name), "a killed worker still runs")


def delete_pod(namespace: SweepNamespace, _: str, pod: str) -> None:
    namespace.kubectl("delete", "pod", pod)


def delete_job(namespace: SweepNamespace, name: str, _: str) -> None:
    (job,) = namespace.list_jobs(name, "render")
    namespace.kubectl("delete", "job", job["metadata"]["name"])


def test_killed_workers_and_deleted_pods_and_jobs_change_no_label(
    namespace: SweepNamespace, expected_labels: dict[str, str]
) -> None:
    dice = random.Random(20261127)
    start_sweep(namespace, "unlucky")
    for fault in (kill_pod_processes, delete_pod, delete_job, kill_pod_processes):
        fault(namespace, "unlucky", dice.choice(wait_for_running_pods(namespace, "unlucky")))
        wait_for_more_runs(namespace, "unlucky")

    assert_complete_with_labels(namespace, "unlucky", expected_labels)


def test_a_run_that_loses_a_file_before_finalize_is_rendered_again(
    namespace: SweepNamespace, expected_labels: dict[str, str]
) -> None:
    start_sweep(namespace, "forgetful")
    store = open_bucket(namespace)
    manifest = next(iter(read_manifests(store).values()))
    store.remove_files([f"{run_path(manifest.key, manifest.c8)}/instances.png"])

    assert_complete_with_labels(namespace, "forgetful", expected_labels)
    assert [fault for each in read_manifests(store).values() if (fault := store.find_fault(each))] == []
    assert namespace.read_status("forgetful").attempt.stale == 1


def test_a_drained_node_changes_no_label(namespace: SweepNamespace, expected_labels: dict[str, str]) -> None:
    start_sweep(namespace, "evicted")
    with drain_node(namespace.cluster):
        assert not namespace.list_running_pods("evicted")
        assert count_runs(namespace) < RUNS

    assert_complete_with_labels(namespace, "evicted", expected_labels)


def test_a_lost_node_changes_no_label(namespace: SweepNamespace, expected_labels: dict[str, str]) -> None:
    start_sweep(namespace, "lost")
    known = {pod["metadata"]["uid"] for pod in namespace.list_pods("lost", "render")}
    with lose_node(namespace.cluster):
        wait_until(
            lambda: not known & {pod["metadata"]["uid"] for pod in namespace.list_pods("lost", "render")},
            lambda: f"the pods of the lost node are still there; {namespace.describe_sweep('lost')}",
            PATIENCE,
        )
        assert count_runs(namespace) < RUNS

    assert_complete_with_labels(namespace, "lost", expected_labels)


def test_a_store_outage_of_a_minute_changes_no_label(
    namespace: SweepNamespace, expected_labels: dict[str, str]
) -> None:
    start_sweep(namespace, "rendering")
    with stop_store(namespace.store):
        end = time.monotonic() + MINUTE
        namespace.apply_sweep("new", "spheres-sem", overrides=OVERRIDES)
        namespace.wait_for_status(
            "new",
            lambda status: find_ready_reason(status) is Reason.STORE_UNREACHABLE,
            "the reason does not name the store",
        )
        wait_until(lambda: time.monotonic() > end, "the minute does not end", 2 * MINUTE)
        assert namespace.read_status("rendering").phase is Phase.RENDERING

    assert_complete_with_labels(namespace, "rendering", expected_labels)
    assert namespace.wait_for_end("new").phase is Phase.COMPLETE


def test_a_worker_whose_credentials_became_wrong_reports_it_and_is_retried(
    namespace: SweepNamespace, expected_labels: dict[str, str]
) -> None:
    start_sweep(namespace, "locked-out")
    namespace.apply_secret(secret_key="another key")
    for pod in namespace.list_running_pods("locked-out"):
        namespace.kubectl("delete", "pod", pod)

    namespace.wait_for_status(
        "locked-out",
        lambda status: find_ready_reason(status) is Reason.ACCESS_DENIED,
        "the reason does not name the store",
    )
    assert has_ended_pod(namespace, "locked-out", code=ExitCode.TRY_AGAIN)
    namespace.apply_secret()

    assert_complete_with_labels(namespace, "locked-out", expected_labels)
