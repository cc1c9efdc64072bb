"""Editing a sweep while it renders: what is finished stays, and only what must stop stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cluster import until
from spheres import NUMBER, SEED, SMALL_PICTURE, bucket, manifests, recipe

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from harness.lab import Lab

BATCH = 12


def begin(lab: Lab, name: str, batches: int, parallelism: int) -> None:
    """A sweep whose batches take some seconds each."""
    overrides = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({batches * BATCH})"]
    lab.recipe("spheres-sem", recipe())
    lab.sweep(name, "spheres-sem", overrides=overrides, parallelism=parallelism, batchSize=BATCH)


def working(lab: Lab, name: str) -> dict[str, str]:
    """Pods that run and are not being stopped -> uid."""
    metadata = (pod["metadata"] for pod in lab.pods(name, "render") if pod["status"]["phase"] == "Running")
    return {each["name"]: each["uid"] for each in metadata if "deletionTimestamp" not in each}


def ended_well(pods: list[dict[str, Any]], uid: str) -> bool:
    return any(pod["metadata"]["uid"] == uid and pod["status"]["phase"] == "Succeeded" for pod in pods)


def until_runs_exist(lab: Lab, count: int) -> None:
    until(lambda: len(tuple(bucket(lab).keys())) >= count, f"there are no {count} runs", 120)


def test_a_suspended_sweep_keeps_every_finished_run_and_renders_only_the_rest(lab: Lab) -> None:
    begin(lab, "pausing", 2, parallelism=1)
    until_runs_exist(lab, 3)

    lab.patch("pausing", suspend=True)
    lab.until("pausing", lambda status: status.phase is Phase.SUSPENDED, "it was not suspended", 10)
    until(lambda: not lab.pods("pausing", "render"), "its pods went on", 60)
    kept = manifests(bucket(lab))
    assert 3 <= len(kept) < 2 * BATCH
    lab.until("pausing", lambda status: status.runs.done == len(kept), f"it does not say that {len(kept)} are done", 10)
    lab.patch("pausing", suspend=False)
    status = lab.finished("pausing")

    assert (status.phase, status.runs.total, status.runs.done) == (Phase.COMPLETE, 2 * BATCH, 2 * BATCH)
    assert kept.items() <= manifests(bucket(lab)).items()


def test_raising_parallelism_disturbs_nothing_and_lowering_it_costs_only_runs_in_flight(lab: Lab) -> None:
    begin(lab, "changing", 5, parallelism=1)
    until_runs_exist(lab, 1)
    ((_, first),) = working(lab, "changing").items()

    lab.patch("changing", parallelism=3)
    until(lambda: len(working(lab, "changing")) == 3, lambda: f"not 3 pods; {lab.report('changing')}")
    assert first in working(lab, "changing").values()
    until(lambda: ended_well(lab.pods("changing", "render"), first), lambda: lab.report("changing"))
    kept = manifests(bucket(lab))
    lab.patch("changing", parallelism=1)
    until(lambda: len(working(lab, "changing")) <= 1, lambda: f"more than one pod; {lab.report('changing')}")
    status = lab.finished("changing")

    assert (status.phase, status.runs.done, status.runs.failed) == (Phase.COMPLETE, 5 * BATCH, 0)
    assert kept.items() <= manifests(bucket(lab)).items()
