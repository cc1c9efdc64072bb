"""`make cluster-demo`: start Kubernetes on this machine, run a small sweep, print what to look at; `down` stops it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import yaml
from harness.cluster import Cluster, start_components
from harness.components import prometheus_command
from harness.images import OPERATOR, RENDERER, build_base_images, build_project_images
from harness.node_store import BUCKET, NodeStore
from harness.operator_chart import OPERATOR_NAMESPACE, install_operator
from harness.sandbox import Sandbox, create_sandbox
from harness.slot import ClusterSlot, find_program
from harness.sweep_namespace import SweepNamespace
from servers import ACCESS_KEY, SECRET_KEY

from synth_api.resources.synth_sweep import Phase

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "build" / "cluster"
NAMESPACE: Final = "demo"
SWEEP: Final = "spheres-demo"
ARGUMENTS: Final = (
    "blueprints.particles.Bead.number=100,300",
    "initial_runtime_state.seed=range(3)",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=25",
)
SETTINGS: Final = (
    *("sweeps.renderResources.requests.cpu=500m", "sweeps.renderResources.requests.memory=1Gi"),
    "sweeps.overlay.trusted=false",  # the chart's default; tests mount their engines
)
MINUTES: Final = 15


def up() -> int:
    """Start cluster, store, Prometheus and operator, run the sweep; return the exit code."""
    if (FOLDER / "slot").exists():
        print("a cluster is running already; stop it with make cluster-down", file=sys.stderr)
        return 1
    subprocess.run([ROOT / "tools" / "cluster-dependencies"], check=True)
    build_base_images()
    build_project_images()
    cluster = Cluster(create_sandbox(keep=True))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "slot").write_text(f"{cluster.sandbox.slot.number} {cluster.sandbox.init}")
    start = time.monotonic()
    start_components(cluster, [OPERATOR, RENDERER])
    (FOLDER / "kubeconfig").write_text(cluster.kubeconfig.read_text())
    print(f"Kubernetes is up after {time.monotonic() - start:.0f} s; now store, Prometheus and operator", flush=True)
    store = NodeStore(cluster)
    store.start()
    store.client.make_bucket(BUCKET)
    start_prometheus(cluster)
    install_operator(cluster, *SETTINGS)
    complete = run_sweep(SweepNamespace(cluster, store, NAMESPACE))
    print_summary(store)
    return 0 if complete else 1


def start_prometheus(cluster: Cluster) -> None:
    """Start Prometheus, which scrapes the pods of the operator by the name of their port."""
    slot = cluster.sandbox.slot
    pods = {"role": "pod", "kubeconfig_file": str(slot.kubeconfig), "namespaces": {"names": [OPERATOR_NAMESPACE]}}
    named = {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "metrics", "action": "keep"}
    job = {"job_name": "synth-operator", "honor_labels": True}
    scrape: dict[str, Any] = {**job, "kubernetes_sd_configs": [pods], "relabel_configs": [named]}
    configuration = {"global": {"scrape_interval": "5s"}, "scrape_configs": [scrape]}
    (slot.folder / "prometheus.json").write_text(json.dumps(configuration))
    cluster.sandbox.start(prometheus_command(slot), slot.log("prometheus"))


def run_sweep(namespace: SweepNamespace) -> bool:
    """Apply the output of `synth manifest` and print `kubectl get --watch`; return True if the sweep completes."""
    namespace.create()
    manifest = ["manifest", "recipes/spheres_sem.yaml", *ARGUMENTS, f"--name={SWEEP}", "--parallelism=2"]
    recipe, sweep = yaml.safe_load_all(synth(*manifest))
    sweep["spec"]["output"] = namespace.output
    namespace.apply(recipe, sweep)
    watch = ["get", "synthsweep", SWEEP, "--watch", f"--namespace={NAMESPACE}"]
    shown = subprocess.Popen([find_program("kubectl"), f"--kubeconfig={namespace.cluster.kubeconfig}", *watch])
    try:
        return namespace.wait_for_end(SWEEP, 60 * MINUTES).phase is Phase.COMPLETE
    finally:
        shown.terminate()
        shown.wait()


def print_summary(store: NodeStore) -> None:
    """Fetch the gallery; print the addresses of gallery, dataset and Prometheus, and commands to try."""
    page = synth("gallery", SWEEP, "-n", NAMESPACE, "--out", str(FOLDER / "gallery"), "--pictures")
    print(
        f"""
gallery     {page.strip()}
dataset     {BUCKET}/{NAMESPACE} on http://{store.endpoint}  (keys {ACCESS_KEY}, {SECRET_KEY})
Prometheus  http://{store.cluster.node_address}:9090/graph?g0.expr=synth_sweep_runs

export KUBECONFIG={FOLDER / "kubeconfig"}
export PATH={Path(find_program("kubectl")).parent}:{Path(sys.executable).parent}:$PATH
kubectl -n {NAMESPACE} get synthsweeps
kubectl -n {NAMESPACE} describe synthsweep {SWEEP}
synth status {SWEEP} -n {NAMESPACE}
kubectl -n {OPERATOR_NAMESPACE} logs deployment/synth-operator
make cluster-down"""
    )


def synth(*arguments: str) -> str:
    """Return the output of `synth` for this cluster and this store."""
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    environment = {**os.environ, **keys, "KUBECONFIG": str(FOLDER / "kubeconfig")}
    command = [Path(sys.executable).with_name("synth"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def down() -> int:
    """Stop the cluster that `up` started; return the exit code."""
    marker = FOLDER / "slot"
    if not marker.exists():
        print("no cluster of make cluster-demo is running", file=sys.stderr)
        return 0
    number, init = map(int, marker.read_text().split())
    name = Path(f"/proc/{init}/comm")
    if name.exists() and name.read_text().strip() == "pause":  # otherwise the machine was restarted
        Sandbox(ClusterSlot(number), init).destroy()
    shutil.rmtree(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit({"up": up, "down": down}[sys.argv[1]]())
