"""A namespace with hundreds of sweeps, or with sweeps that are expensive to check, delays no other one.

What counts is the order of the operator's work, not the time that it takes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from api_server import ApiServer, api_server
from harness.operator_chart import OPERATOR_NAMESPACE
from harness.sweep_namespace import SweepNamespace
from operator_process import run_operator
from operators import Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import SECONDS, wait_until

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster

ROOT: Final = Path(__file__).parents[2]
MANY: Final = 300
HONEST: Final = 10
HOSTILE_NAMESPACE: Final = "hostile"
HONEST_NAMESPACE: Final = "zoology"
"""Behind the hostile one in every list."""
NAMESPACES: Final = (HOSTILE_NAMESPACE, HONEST_NAMESPACE)
TWO_THOUSAND: Final = ",".join(["1"] * 2000)
EXPENSIVE: Final = [f"+initial_runtime_state.x{number}={TWO_THOUSAND}" for number in range(16)]
PRODUCT: Final = [f"+initial_runtime_state.x{number}=range(900)" for number in range(64)]
DEEP: Final = '{"a":' * 9_000 + "1" + "}" * 9_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all")
        for namespace in (*NAMESPACES, "synth"):
            running.kubectl("create", "namespace", namespace)
        yield running


def build(kind: str, namespace: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def build_sweep(namespace: str, name: str, overrides: list[str]) -> dict[str, Any]:
    return build("SynthSweep", namespace, name, {"recipeRef": {"name": "spheres"}, "overrides": overrides})


def create(server: ApiServer, *documents: dict[str, Any]) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": documents}
    server.kubectl("create", "--filename=-", stdin=json.dumps(items))


def create_deep_sweep(server: ApiServer) -> None:
    """Create a sweep that is nested as deeply as the API server takes it; kubectl itself could not read it."""
    body = json.dumps(build("SynthSweep", HOSTILE_NAMESPACE, "deep", {"recipe": "TREE"})).replace('"TREE"', DEEP)
    place = f"/apis/synth-operator.io/v1alpha1/namespaces/{HOSTILE_NAMESPACE}/synthsweeps"
    server.kubectl("create", f"--raw={place}", "--filename=-", stdin=body)


def read_seen(server: ApiServer) -> dict[str, dict[str, str]]:
    """Return what stalls the sweeps that the operator has looked at, by namespace and name, at one moment."""
    seen: dict[str, dict[str, str]] = {namespace: {} for namespace in NAMESPACES}
    columns = "custom-columns=A:.metadata.namespace,B:.metadata.name,C:.status.observedGeneration"
    columns += ",D:.status.conditions[?(@.type=='Stalled')].message"
    for line in server.kubectl("get", "synthsweeps", "-A", "--no-headers", "-o", columns).splitlines():
        namespace, name, generation, message = line.split(maxsplit=3)
        if generation not in ("0", "<none>"):
            seen[namespace][name] = message.strip()
    return seen


def test_a_hostile_namespace_delays_no_other_one_and_does_not_stop_the_operator(
    server: ApiServer, tmp_path: Path
) -> None:
    create(
        server,
        *(build("SynthRecipe", each, "spheres", {"recipe": load_recipe()}) for each in NAMESPACES),
        *(build_sweep(HOSTILE_NAMESPACE, f"expensive-{number}", EXPENSIVE) for number in range(4)),
        build_sweep(HOSTILE_NAMESPACE, "product", PRODUCT),
        *(build_sweep(HOSTILE_NAMESPACE, f"many-{number}", [f"{SEED}={number},1000"]) for number in range(MANY)),
        *(build_sweep(HONEST_NAMESPACE, f"honest-{number}", [f"{SEED}={number},1000"]) for number in range(HONEST)),
    )
    create_deep_sweep(server)
    with run_operator(server, tmp_path) as operator:
        wait_until(lambda: len(read_seen(server)[HONEST_NAMESPACE]) == HONEST, "honest sweeps wait")
        before = read_seen(server)[HOSTILE_NAMESPACE]
        assert len(before) < MANY / 2, "the hostile namespace came first"
        assert operator.read_health() == "ok\n"
        everything = MANY + 6
        # Their check takes minutes of processor time, and most of a busy machine is elsewhere.
        wait_until(lambda: len(read_seen(server)[HOSTILE_NAMESPACE]) == everything, "hostile sweeps wait", 6 * SECONDS)
        assert operator.read_health() == "ok\n"

    hostile = read_seen(server)[HOSTILE_NAMESPACE]
    assert {hostile[f"many-{number}"] for number in range(MANY)} == {"<none>"}
    assert "the values of 64 axes make about 10^189 runs" in hostile["product"]
    assert "recipe.a.a.a: is nested more than 64 deep; flatten it" in hostile["deep"]
    assert "The sweep is" in hostile["expensive-0"]


def test_sweeps_that_are_expensive_to_check_neither_stop_the_operator_nor_a_sweep_beside_them(
    namespace: SweepNamespace,
) -> None:
    operators = Operators(namespace.cluster)
    leader, restarts = operators.wait_for_leader(), count_restarts(namespace.cluster)
    hostile = SweepNamespace(namespace.cluster, namespace.store, f"{namespace.name}-hostile")
    hostile.create()
    for each in (hostile, namespace):
        each.apply_recipe("spheres", load_recipe())
    for number in range(4):
        hostile.apply_sweep(f"expensive-{number}", "spheres", overrides=EXPENSIVE)
    namespace.apply_sweep("honest", "spheres", overrides=[SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=1,2"])

    assert namespace.wait_for_end("honest").phase is Phase.COMPLETE
    for number in range(4):
        hostile.wait_for_condition("Stalled", f"expensive-{number}")
        conditions = hostile.read_status(f"expensive-{number}").conditions
        assert {each.reason for each in conditions if each.type == "Stalled"} == {Reason.SWEEP_INVALID}
    assert (operators.leader, count_restarts(namespace.cluster)) == (leader, restarts)


def count_restarts(cluster: Cluster) -> int:
    pods = cluster.get_object("pods", namespace=OPERATOR_NAMESPACE)["items"]
    return sum(each["restartCount"] for pod in pods for each in pod["status"].get("containerStatuses", ()))
