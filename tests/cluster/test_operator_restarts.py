"""The operator, the API server and etcd die while sweeps run: sweeps complete, each run counted once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from harness.commands import CommandError
from harness.operator_chart import install_operator
from operators import Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

LEASE_SECONDS = 15
"""The chart's default."""
RENEWED_SECONDS = 5
"""Largest age of a lease's renewal when its holder stops."""


def build_overrides(runs: int) -> list[str]:
    return [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({runs})"]


@pytest.fixture(scope="module")
def operators(cluster: Cluster) -> Operators:
    return Operators(cluster)


@pytest.fixture(scope="module")
def two_replicas(cluster: Cluster, operators: Operators) -> Iterator[Operators]:
    install_operator(cluster, "replicas=2")
    operators.wait_for_leader()
    yield operators
    install_operator(cluster)


@pytest.fixture
def short_lease(cluster: Cluster, operators: Operators) -> Iterator[Operators]:
    """Two replicas with a short lease, so that many kills fit into one sweep."""
    install_operator(cluster, "replicas=2", "lease.durationSeconds=3")
    operators.wait_for_leader()
    yield operators
    install_operator(cluster)


def count_created_jobs(operators: Operators, namespace: SweepNamespace) -> Counter[str]:
    """Return how often each Job was created."""
    made = ("jobs", "create", 201, namespace.name)
    calls = operators.read_calls()
    return Counter(call.name for call in calls if (call.resource, call.verb, call.code, call.namespace) == made)


def is_api_server_ready(cluster: Cluster) -> bool:
    with suppress(CommandError):
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    return False


def test_another_replica_leads_within_20_seconds_of_a_kill(two_replicas: Operators) -> None:
    killed = two_replicas.wait_for_leader()
    two_replicas.kill_pod(killed)
    two_replicas.wait_for_new_leader(killed, 20)


def test_a_leader_that_stops_releases_its_lease(two_replicas: Operators) -> None:
    stopped = two_replicas.wait_for_leader()
    two_replicas.cluster.kubectl("-n", "synth", "rollout", "status", "deployment/synth-operator")
    two_replicas.cluster.kubectl("-n", "synth", "delete", "pod", stopped, "--wait=false")
    two_replicas.wait_for_new_leader(stopped, LEASE_SECONDS - RENEWED_SECONDS)


def test_only_the_leader_watches_and_writes(two_replicas: Operators, namespace: SweepNamespace) -> None:
    leader = two_replicas.wait_for_leader()
    before = len(list(two_replicas.read_calls()))
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("one", "spheres-sem", overrides=build_overrides(1))
    namespace.wait_for_end("one")

    calls = [call for call in list(two_replicas.read_calls())[before:] if call.resource != "leases"]
    assert two_replicas.leader == leader
    assert {call.pod for call in calls} == {leader}


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.soak)])
def test_kills_of_the_leader_lose_no_run_and_create_no_job_twice(
    short_lease: Operators, namespace: SweepNamespace, kills: int
) -> None:
    names = ["a", "b", "c"]
    namespace.apply_recipe("spheres-sem", load_recipe())
    for name in names:
        namespace.apply_sweep(name, "spheres-sem", overrides=build_overrides(6), parallelism=2)
    dice, pause = random.Random(20261124), threading.Event()
    for kill in range(kills):
        leader = short_lease.leader
        pause.wait(dice.uniform(0, 2))
        short_lease.kill_pod(leader)
        short_lease.wait_for_new_leader(leader, 60)
        if kill % 5 == 4:
            namespace.patch_sweep(names[kill % 3], retryToken=f"after-{kill}")

    for name in names:
        status = namespace.wait_for_end(name)
        assert status.phase is Phase.COMPLETE, namespace.describe_sweep(name)
        assert (status.runs.total, status.runs.existing, status.runs.failed) == (6, 6, 0)
    assert set(count_created_jobs(short_lease, namespace).values()) == {1}


def test_a_sweep_survives_the_death_of_api_server_and_etcd(
    cluster: Cluster, operators: Operators, namespace: SweepNamespace
) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("tough", "spheres-sem", overrides=build_overrides(6))
    namespace.wait_for_status("tough", lambda status: status.phase is Phase.RENDERING, "the sweep does not render")
    cluster.kill_component("apiserver")
    cluster.kill_component("etcd")
    for name in ("etcd", "apiserver"):
        cluster.start_component(name)
    wait_until(lambda: is_api_server_ready(cluster), "the API server did not come back")

    status = namespace.wait_for_end("tough")

    assert status.phase is Phase.COMPLETE
    assert (status.runs.total, status.runs.succeeded, status.runs.failed) == (6, 6, 0)
    made = count_created_jobs(operators, namespace)
    assert {name.rsplit("-", 1)[1]: times for name, times in made.items()} == {"p": 1, "r0": 1, "f": 1}
