"""Editing a sweep while it renders: what is finished stays, and only what must stop stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cluster import wait_until
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket, read_manifests

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

BATCH = 12


def begin(namespace: SweepNamespace, name: str, batches: int, parallelism: int) -> None:
    """A sweep whose batches take some seconds each."""
    overrides = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({batches * BATCH})"]
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", overrides=overrides, parallelism=parallelism, batchSize=BATCH)


def working(namespace: SweepNamespace, name: str) -> dict[str, str]:
    """Pods that run and are not being stopped -> uid."""
    metadata = (pod["metadata"] for pod in namespace.list_pods(name, "render") if pod["status"]["phase"] == "Running")
    return {each["name"]: each["uid"] for each in metadata if "deletionTimestamp" not in each}


def ended_well(pods: list[dict[str, Any]], uid: str) -> bool:
    return any(pod["metadata"]["uid"] == uid and pod["status"]["phase"] == "Succeeded" for pod in pods)


def until_runs_exist(namespace: SweepNamespace, count: int) -> None:
    wait_until(lambda: len(tuple(open_bucket(namespace).keys())) >= count, f"there are no {count} runs", 120)


def test_a_suspended_sweep_keeps_every_finished_run_and_renders_only_the_rest(namespace: SweepNamespace) -> None:
    begin(namespace, "pausing", 2, parallelism=1)
    until_runs_exist(namespace, 3)

    namespace.patch_sweep("pausing", suspend=True)
    namespace.wait_for_status("pausing", lambda status: status.phase is Phase.SUSPENDED, "it was not suspended", 10)
    wait_until(lambda: not namespace.list_pods("pausing", "render"), "its pods went on", 60)
    kept = read_manifests(open_bucket(namespace))
    assert 3 <= len(kept) < 2 * BATCH
    namespace.wait_for_status(
        "pausing", lambda status: status.runs.done == len(kept), f"it does not say that {len(kept)} are done", 10
    )
    namespace.patch_sweep("pausing", suspend=False)
    status = namespace.wait_for_end("pausing")

    assert (status.phase, status.runs.total, status.runs.done) == (Phase.COMPLETE, 2 * BATCH, 2 * BATCH)
    assert kept.items() <= read_manifests(open_bucket(namespace)).items()


def test_raising_parallelism_disturbs_nothing_and_lowering_it_costs_only_runs_in_flight(
    namespace: SweepNamespace,
) -> None:
    begin(namespace, "changing", 5, parallelism=1)
    until_runs_exist(namespace, 1)
    ((_, first),) = working(namespace, "changing").items()

    namespace.patch_sweep("changing", parallelism=3)
    wait_until(
        lambda: len(working(namespace, "changing")) == 3, lambda: f"not 3 pods; {namespace.describe_sweep('changing')}"
    )
    assert first in working(namespace, "changing").values()
    wait_until(
        lambda: ended_well(namespace.list_pods("changing", "render"), first),
        lambda: namespace.describe_sweep("changing"),
    )
    kept = read_manifests(open_bucket(namespace))
    namespace.patch_sweep("changing", parallelism=1)
    wait_until(
        lambda: len(working(namespace, "changing")) <= 1,
        lambda: f"more than one pod; {namespace.describe_sweep('changing')}",
    )
    status = namespace.wait_for_end("changing")

    assert (status.phase, status.runs.done, status.runs.failed) == (Phase.COMPLETE, 5 * BATCH, 0)
    assert kept.items() <= read_manifests(open_bucket(namespace)).items()
