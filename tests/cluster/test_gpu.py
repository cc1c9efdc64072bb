"""Sweeps with GPUs: on a node that only claims to have some, and on fake nodes."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.fake_nodes import fake_nodes
from harness.operator_chart import KERNEL_FOLDER, KERNEL_NAMESPACES
from harness.slot import NODE
from harness.sweep_namespace import SweepNamespace
from harness.watch import watch_list
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.node_store import NodeStore
    from harness.watch import Watch

GPU: Final = "nvidia.com/gpu"
POOL: Final = {"synth-operator.io/pool": "gpu"}
TAINT: Final = {"key": GPU, "effect": "NoSchedule"}
OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2"]
FAKE: Final = ("gpu-1", "gpu-2", "gpu-3")
PER_NODE: Final = 8
PARALLELISM: Final = 12
PRIVILEGED: Final = "pod-security.kubernetes.io/enforce=privileged"
COMPILES: Final = "Compiling kernels for a trial GPU"
WAITS: Final = "Waiting for another worker, which compiles Cycles kernels for the same GPU"


@pytest.fixture
def node(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with its node labelled as a GPU node, until the test ends."""
    ((key, value),) = POOL.items()
    cluster.kubectl("label", "node", NODE, f"{key}={value}")
    yield cluster
    cluster.kubectl("label", "node", NODE, f"{key}-")
    for part in ("capacity", "allocatable"):
        patch_node(cluster, {"op": "add", "path": gpu_path(part), "value": "0"})


def gpu_path(part: str) -> str:
    return f"/status/{part}/{GPU.replace('/', '~1')}"


def patch_node(cluster: Cluster, operation: dict[str, str]) -> None:
    cluster.kubectl(
        *("patch", "node", NODE, "--subresource=status", "--type=json"), f"--patch={json.dumps([operation])}"
    )


def offer_gpus(cluster: Cluster, count: int) -> None:
    patch_node(cluster, {"op": "add", "path": gpu_path("capacity"), "value": str(count)})


def test_a_sweep_waits_for_a_gpu_with_a_reason_and_then_runs(node: Cluster, namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    gpu = {"count": 1, "nodeSelector": POOL}
    namespace.apply_sweep("gpu", "spheres-sem", overrides=OVERRIDES, gpu=gpu, device="cpu", ttlSecondsAfterFinished=600)

    status = namespace.wait_for_status(
        "gpu", lambda status: find_ready_reason(status) is Reason.UNSCHEDULABLE, "it does not wait"
    )
    assert f"No node can take the render pod: 0/1 nodes are available: 1 Insufficient {GPU}" in find_ready_message(
        status
    )
    offer_gpus(node, 4)

    assert namespace.wait_for_end("gpu").phase is Phase.COMPLETE
    (pod,) = namespace.list_pods("gpu", "render")
    (container,) = pod["spec"]["containers"]
    assert pod["spec"]["nodeName"] == NODE
    assert pod["spec"]["nodeSelector"] == POOL
    assert {"key": GPU, "operator": "Exists", "effect": "NoSchedule"} in pod["spec"]["tolerations"]
    assert container["resources"]["limits"][GPU] == container["resources"]["requests"][GPU] == "1"
    assert {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility,graphics"} in container["env"]
    assert not [each for each in namespace.list_pods("gpu", "plan") if "nodeSelector" in each["spec"]]


def test_a_pod_starts_up_until_its_device_is_ready(node: Cluster, namespace: SweepNamespace) -> None:
    offer_gpus(node, 1)
    namespace.apply_recipe("spheres-sem", load_recipe())
    with watch_list(node, f"/api/v1/namespaces/{namespace.name}/pods") as watch:
        overrides = [*OVERRIDES, f"{SEED}=range(8)"]
        namespace.apply_sweep("auto", "spheres-sem", overrides=overrides, gpu={"count": 1}, device="auto", batchSize=8)
        assert namespace.wait_for_end("auto").phase is Phase.COMPLETE

    assert list(dict.fromkeys(read_starts(watch))) == [False, True]


def read_starts(watch: Watch) -> list[bool]:
    """Return whether the running container of a render pod is past its startup probe, at each event."""
    statuses = [
        status
        for seen in watch.events
        if seen.body["metadata"]["labels"]["synth-operator.io/job"] == "render"
        for status in seen.body["status"].get("containerStatuses", ())
    ]
    return [status["started"] for status in statuses if "running" in status["state"]]


def test_without_a_driver_a_sweep_waits_instead_of_rendering_on_the_cpu(
    node: Cluster, namespace: SweepNamespace
) -> None:
    offer_gpus(node, 4)
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("driverless", "spheres-sem", overrides=OVERRIDES, gpu={"count": 1})

    status = namespace.wait_for_status(
        "driverless", lambda status: find_ready_reason(status) is Reason.DEVICE_UNAVAILABLE, "it renders"
    )

    assert find_ready_message(status) == (
        "Device gpu is not available here: no driver of OptiX, CUDA, HIP or oneAPI answers, found: cpu; "
        "install it, or use auto or cpu."
    )
    codes = {
        pod["status"]["containerStatuses"][0]["state"].get("terminated", {}).get("exitCode")
        for pod in list_failed_pods(namespace)
    }
    assert codes == {75}
    assert status.runs.succeeded == 0
    namespace.patch_sweep("driverless", device="cpu")
    assert namespace.wait_for_end("driverless").phase is Phase.COMPLETE


def list_failed_pods(namespace: SweepNamespace) -> list[dict[str, Any]]:
    return [pod for pod in namespace.list_pods("driverless", "render") if pod["status"]["phase"] == "Failed"]


def create_kernel_namespace(node: Cluster, store: NodeStore, name: str) -> SweepNamespace:
    """Create one of the namespaces with a kernel cache, whose folder an administrator has made."""
    offer_gpus(node, 4)
    node.sandbox.run("install", "-d", "-m", "1777", KERNEL_FOLDER)
    namespace = SweepNamespace(node, store, name)
    namespace.create()
    namespace.apply_recipe("spheres-sem", load_recipe())
    return namespace


def test_of_two_pods_on_a_node_one_compiles_and_the_other_and_later_ones_load(node: Cluster, store: NodeStore) -> None:
    namespace = create_kernel_namespace(node, store, KERNEL_NAMESPACES[0])
    node.kubectl("label", "namespace", namespace.name, "--overwrite", PRIVILEGED)
    template = namespace.apply_trial_engine("render_nothing", module="compiling")
    spec = {"podTemplate": template, "gpu": {"count": 1}, "device": "auto", "ttlSecondsAfterFinished": 600}
    seeds = [*OVERRIDES, f"{SEED}=range(2)"]
    namespace.apply_sweep("both", "spheres-sem", overrides=seeds, parallelism=2, batchSize=1, workersPerPod=1, **spec)

    wait_until(
        lambda: sorted(read_startups(namespace, "both")) == [[COMPILES], [WAITS]],
        lambda: f"{read_startups(namespace, 'both')}:\n{namespace.describe_sweep('both')}",
        180,
    )
    namespace.release_pods("both")
    assert namespace.wait_for_end("both").phase is Phase.COMPLETE
    namespace.apply_sweep("later", "spheres-sem", overrides=[*OVERRIDES, f"{SEED}=7"], **spec)
    assert namespace.wait_for_end("later").phase is Phase.COMPLETE

    folder = f"{KERNEL_FOLDER}/{namespace.name}"
    assert node.sandbox.run("ls", folder).split() == ["compilations", "trial-gpu.tar.zst"]
    (host,) = node.sandbox.run("cat", f"{folder}/compilations").split()
    (compiling,) = [pod for pod in namespace.list_pods("both", "render") if COMPILES in read_startup(namespace, pod)]
    assert compiling["metadata"]["name"].startswith(f"{host}-")


def read_startups(namespace: SweepNamespace, name: str) -> list[list[str]]:
    """Return what each running render pod of a sweep has said of its start-up."""
    running = set(namespace.list_running_pods(name))
    pods = namespace.list_pods(name, "render")
    return [read_startup(namespace, pod) for pod in pods if pod["metadata"]["name"] in running]


def read_startup(namespace: SweepNamespace, pod: dict[str, Any]) -> list[str]:
    """Return the distinct sentences of a pod's log about its start-up."""
    lines = namespace.kubectl("logs", pod["metadata"]["name"]).splitlines()
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    return list(dict.fromkeys(entry["message"] for entry in entries if entry["event"] == "starting up"))


def test_where_pod_security_forbids_the_kernel_cache_the_sweep_says_so(node: Cluster, store: NodeStore) -> None:
    namespace = create_kernel_namespace(node, store, KERNEL_NAMESPACES[1])
    namespace.apply_sweep("forbidden", "spheres-sem", overrides=OVERRIDES, gpu={"count": 1}, device="cpu")

    status = namespace.wait_for_status(
        "forbidden", lambda status: find_ready_reason(status) is Reason.POD_REFUSED, "nothing is refused"
    )

    assert find_ready_message(status) == (
        "Pod Security of this namespace forbids the kernel cache on nodes, a hostPath volume: name a claim instead, or "
        "list the namespaces that allow it; pods of others compile for themselves (sweeps.gpu.kernelCache of the "
        "chart)."
    )


def test_pods_spread_over_gpu_nodes_and_never_exceed_the_parallelism(
    cluster: Cluster, namespace: SweepNamespace
) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    pods = f"/api/v1/namespaces/{namespace.name}/pods"
    seeds = f"{SEED}=range({3 * PARALLELISM})"
    with (
        fake_nodes(cluster, FAKE, {GPU: str(PER_NODE)}, seconds=3, taints=[TAINT]),
        watch_list(cluster, pods) as watch,
    ):
        namespace.apply_sweep(
            *("wide", "spheres-sem"),
            **{
                "overrides": [*OVERRIDES, seeds],
                "parallelism": PARALLELISM,
                "batchSize": 1,
                "gpu": {"count": 1},
                "workersPerPod": 4,
            },
        )
        wait_until(
            lambda: len(read_node_names(watch)) >= 2 * PARALLELISM,
            lambda: f"not rendered:\n{namespace.describe_sweep('wide')}",
            120,
        )
        namespace.kubectl("delete", "synthsweep", "wide", "--timeout=300s")

    assert count_most_pods(watch) == PARALLELISM
    by_node = Counter(list(read_node_names(watch).values())[:PARALLELISM])
    assert by_node == dict.fromkeys(FAKE, PARALLELISM // len(FAKE))
    assert read_numbers_of_workers(watch) == {"4"}


def read_numbers_of_workers(watch: Watch) -> set[str]:
    """Return the values of `--workers` of all render pods."""
    commands = [
        seen.body["spec"]["containers"][0]["args"]
        for seen in watch.events
        if seen.body["metadata"]["labels"]["synth-operator.io/job"] == "render"
    ]
    return {command[command.index("--workers") + 1] for command in commands}


def read_node_names(watch: Watch) -> dict[str, str]:
    """Return render pod -> node, in the order of scheduling."""
    return {
        seen.body["metadata"]["name"]: seen.body["spec"]["nodeName"]
        for seen in watch.events
        if seen.body["metadata"]["labels"]["synth-operator.io/job"] == "render" and "nodeName" in seen.body["spec"]
    }


def count_most_pods(watch: Watch) -> int:
    """Return the largest number of render pods that were alive at the same time."""
    alive: set[str] = set()
    most = 0
    for seen in watch.events:
        if seen.body["metadata"]["labels"]["synth-operator.io/job"] != "render":
            continue
        over = seen.type == "DELETED" or seen.body["status"]["phase"] in ("Succeeded", "Failed")
        (alive.discard if over else alive.add)(seen.body["metadata"]["name"])
        most = max(most, len(alive))
    return most
