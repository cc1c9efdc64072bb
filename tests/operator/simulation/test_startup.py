"""What a status says while GPUs load or compile Cycles kernels, and what it takes such a start-up for."""

from __future__ import annotations

from datetime import timedelta

from simulated_cluster.nodes import list_running_pods
from simulated_cluster.simulation import SimulatedCluster

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import BatchMessage, Problem, write_message
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase

MINUTES = 12 * 60
"""Seconds for which a driver compiles."""


def start() -> SimulatedCluster:
    """Return a cluster in which the GPUs of all three render pods start up."""
    cluster = SimulatedCluster(runs=24, gpu={"count": 1})
    cluster.nodes.startup_seconds = MINUTES
    cluster.run_until(lambda cluster: len(list_running_pods(cluster.api)) == 3)
    return cluster


def test_a_sweep_whose_pods_all_compile_says_so_and_since_when() -> None:
    cluster = start()
    began = cluster.api.now
    cluster.run_for(30)
    assert cluster.ready == "Rendering: Rendering 24 runs with at most 3 pods at a time."

    cluster.run_for(60)
    since = cluster.ready.partition("All render pods start up since ")[2].partition(" UTC: Cycles kernels are ")[0]
    assert began - timedelta(seconds=5) <= began.fromisoformat(f"{since}+00:00") <= began
    assert cluster.ready.endswith("or compiled by the driver; synth logs beads shows which.")
    assert (cluster.status.phase, cluster.status.runs.active) == (Phase.RENDERING, 3)


def test_a_long_start_up_costs_one_write_and_ends_with_the_first_pod_that_renders() -> None:
    cluster = start()
    cluster.run_for(120)
    writes = len(cluster.api.writes)
    cluster.run_for(MINUTES // 2)
    assert len(cluster.api.writes) == writes

    list_running_pods(cluster.api)[0]["_waited"] = MINUTES
    cluster.run_until(lambda cluster: cluster.ready == "Rendering: Rendering 24 runs with at most 3 pods at a time.")
    cluster.nodes.startup_seconds = 0
    cluster.run_until_finished()
    assert cluster.status.phase is Phase.COMPLETE


def test_a_start_up_after_quick_batches_is_no_silence() -> None:
    cluster = SimulatedCluster(runs=24, gpu={"count": 1})
    cluster.run_until(lambda cluster: cluster.status.eta is not None)
    cluster.nodes.startup_seconds = MINUTES
    cluster.run_for(MINUTES - 120)

    assert "All render pods start up" in cluster.ready
    assert "No batch has ended" not in cluster.ready


def test_the_end_of_a_start_up_that_took_too_long_stays_in_the_status_while_the_next_pod_starts_up() -> None:
    cluster = start()
    sentence = "Compiling Cycles kernels for NVIDIA A100 (sm_80); once per driver: not done after 20 min 00 s"
    problem = Problem(reason=Reason.DEVICE_UNAVAILABLE, message=sentence)
    for pod in list_running_pods(cluster.api):
        batch = int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])
        message = BatchMessage(batch=batch, size=2, gpu_seconds_startup=1200.0, problem=problem)
        cluster.nodes.end_pod(pod, ExitCode.TRY_AGAIN, write_message(message).decode())
    cluster.run_for(1)
    expected = f"DeviceUnavailable: {sentence}."
    assert cluster.ready == expected
    assert cluster.status.usage.gpu_seconds_startup == 3600.0

    cluster.run_for(MINUTES - 60)  # longer than it takes other problems to be disproved
    assert cluster.ready == expected
    cluster.run_until_finished()
    assert cluster.status.phase is Phase.COMPLETE


def test_a_sweep_on_cpus_has_no_start_up() -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.nodes.startup_seconds = MINUTES
    cluster.run_for(300)

    assert cluster.ready == "Rendering: Rendering 24 runs with at most 3 pods at a time."
