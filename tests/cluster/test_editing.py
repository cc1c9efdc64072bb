"""Edits of a sweep that renders: finished runs stay, and only the necessary pods stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket, read_manifests
from waiting import wait_until

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

BATCH = 12


def start_sweep(namespace: SweepNamespace, name: str, batches: int, parallelism: int) -> None:
    """Apply a sweep whose batches take some seconds each."""
    overrides = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({batches * BATCH})"]
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", overrides=overrides, parallelism=parallelism, batchSize=BATCH)


def read_running_pods(namespace: SweepNamespace, name: str) -> dict[str, str]:
    """Return name -> uid of the running pods that are not being deleted."""
    metadata = (pod["metadata"] for pod in namespace.list_pods(name, "render") if pod["status"]["phase"] == "Running")
    return {each["name"]: each["uid"] for each in metadata if "deletionTimestamp" not in each}


def has_succeeded(pods: list[dict[str, Any]], uid: str) -> bool:
    return any(pod["metadata"]["uid"] == uid and pod["status"]["phase"] == "Succeeded" for pod in pods)


def wait_for_runs(namespace: SweepNamespace, count: int) -> None:
    wait_until(lambda: len(tuple(open_bucket(namespace).iterate_keys())) >= count, f"there are no {count} runs")


def test_a_suspended_sweep_keeps_every_finished_run_and_renders_only_the_rest(namespace: SweepNamespace) -> None:
    start_sweep(namespace, "pausing", 2, parallelism=1)
    wait_for_runs(namespace, 3)

    namespace.patch_sweep("pausing", suspend=True)
    namespace.wait_for_status("pausing", lambda status: status.phase is Phase.SUSPENDED, "it was not suspended")
    wait_until(lambda: not namespace.list_pods("pausing", "render"), "its pods went on")
    kept = read_manifests(open_bucket(namespace))
    assert 3 <= len(kept) < 2 * BATCH
    namespace.wait_for_status(
        "pausing", lambda status: status.runs.existing == len(kept), f"the status does not count {len(kept)} runs", 10
    )
    namespace.patch_sweep("pausing", suspend=False)
    status = namespace.wait_for_end("pausing")

    assert (status.phase, status.runs.total, status.runs.existing) == (Phase.COMPLETE, 2 * BATCH, 2 * BATCH)
    assert kept.items() <= read_manifests(open_bucket(namespace)).items()


def test_more_parallelism_keeps_all_pods_and_less_costs_only_runs_in_flight(
    namespace: SweepNamespace,
) -> None:
    start_sweep(namespace, "changing", 5, parallelism=1)
    wait_for_runs(namespace, 1)
    ((_, first),) = read_running_pods(namespace, "changing").items()

    namespace.patch_sweep("changing", parallelism=3)
    wait_until(
        lambda: len(read_running_pods(namespace, "changing")) == 3,
        lambda: f"not 3 pods; {namespace.describe_sweep('changing')}",
    )
    assert first in read_running_pods(namespace, "changing").values()
    wait_until(
        lambda: has_succeeded(namespace.list_pods("changing", "render"), first),
        lambda: namespace.describe_sweep("changing"),
    )
    kept = read_manifests(open_bucket(namespace))
    namespace.patch_sweep("changing", parallelism=1)
    wait_until(
        lambda: len(read_running_pods(namespace, "changing")) <= 1,
        lambda: f"more than one pod; {namespace.describe_sweep('changing')}",
    )
    status = namespace.wait_for_end("changing")

    assert (status.phase, status.runs.existing, status.runs.failed) == (Phase.COMPLETE, 5 * BATCH, 0)
    assert kept.items() <= read_manifests(open_bucket(namespace)).items()
