"""`make bench-operator`: API writes, status lag and memory of the operator.

One sweep of 10,000 runs on real pods, with an engine that takes 10 ms a run; then many sweeps at once on fake nodes,
whose pods succeed after a second with the termination messages of real ones; then 200 of these beside a hostile
namespace. Writes are counted in the audit log of the API server, without those to the Lease. Status lag is the time
from a change, as a watch of the API reports it, to the status of the sweep that shows it, as another watch reports it.
Memory is the largest sum, twice a second, of the proportional set sizes of all processes: a page that several share,
as most of a forked process, counts once, as it does for the limit of the container.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.cluster import running_cluster
from harness.fake_nodes import fake_nodes
from harness.images import OPERATOR, RENDERER, build_base_images, build_project_images
from harness.node_store import BUCKET, NodeStore
from harness.operator_chart import install_operator
from harness.slot import NODE
from harness.sweep_namespace import SweepNamespace
from harness.watch import watch_list
from operators import WRITES, Operators
from process_usage import MemoryPeak, find_by_hostname, measure_cpu_seconds
from rich.console import Console
from rich.table import Table
from spheres import NUMBER, SEED, load_recipe
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cluster import Cluster
    from harness.watch import Watch

ROOT: Final = Path(__file__).parents[1]
RAW: Final = ROOT / "build" / "bench-operator.json"
MINUTE: Final = 60.0
FAKE: Final = tuple(f"fake-{number}" for number in range(5))
RUNS: Final = 40
BATCH: Final = 10
HONEST_SWEEPS: Final = 200
EXPENSIVE_SWEEPS: Final = 16
EXPENSIVE: Final = [f"+initial_runtime_state.x{number}={','.join(['1'] * 2000)}" for number in range(16)]
"""Overrides that take seconds to check."""
CHANGES: Final = ("accepted", "planned", "rendered", "complete")
PLANNED: Final = {"kind": "plan", "total": RUNS, "todo": RUNS, "batch_size": BATCH, "batches": RUNS // BATCH}
INDEX: Final = '{{ index $root.metadata.annotations "batch.kubernetes.io/job-completion-index" }}'
RENDERED: Final = f'{{"kind": "batch", "batch": {INDEX}, "size": {BATCH}, "succeeded": {BATCH}}}'
FINALIZED: Final = {"kind": "finalize", "total": RUNS, "succeeded": RUNS, "dataset": "s3://fake/dataset.json"}
MESSAGE: Final = (
    '{{ $job := index $root.metadata.labels "synth-operator.io/job" }}'
    f"{{{{ if eq $job \"plan\" }}}}'{json.dumps(PLANNED)}'"
    f"{{{{ else if eq $job \"render\" }}}}'{RENDERED}'"
    f"{{{{ else }}}}'{json.dumps(FINALIZED)}'{{{{ end }}}}"
)
"""Template of the termination message of pods on fake nodes."""

Numbers = dict[str, Any]
Change = tuple[str, str, float]
"""Sweep, kind of change, time at which a watch reported it."""


def measure_large_sweep(namespace: SweepNamespace, runs: int) -> Numbers:
    """Measure one sweep on real pods."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    template = namespace.apply_trial_engine("render_nothing")
    spec: Numbers = {"overrides": [f"{NUMBER}=2", f"{SEED}=range({runs})"], "podTemplate": template, "parallelism": 4}
    with measure_operator(namespace, 1) as numbers:
        namespace.apply_sweep("large", "spheres-sem", **spec)
    return {"runs": runs, "where": "real pods", **numbers}


def measure_fleet(namespace: SweepNamespace, sweeps: int) -> Numbers:
    """Measure many sweeps at once on fake nodes; the real node takes no pods."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    overrides = [f"{NUMBER}=2", f"{SEED}=range({RUNS})"]
    spec = {"recipeRef": {"name": "spheres-sem"}, "overrides": overrides, "batchSize": BATCH, "parallelism": 4}
    documents = [sweep(f"many-{number}", {**spec, **namespace.small_spec}) for number in range(sweeps)]
    with (
        fake_nodes(namespace.cluster, FAKE, {}, seconds=1, message=MESSAGE),
        measure_operator(namespace, sweeps) as numbers,
    ):
        namespace.apply(*documents)
    return {"runs": RUNS, "where": "fake nodes", **numbers}


def measure_beside_hostile(namespace: SweepNamespace, hostile: SweepNamespace, sweeps: int, others: int) -> Numbers:
    """Measure as `measure_fleet` beside a namespace with many more sweeps, some of them expensive to check."""
    hostile.apply_recipe("spheres-sem", load_recipe())
    recipe = {"recipeRef": {"name": "spheres-sem"}, **hostile.small_spec}
    small = [sweep(f"small-{number}", {**recipe, "overrides": [f"{SEED}={number}"]}) for number in range(others)]
    costly = [sweep(f"costly-{number}", {**recipe, "overrides": EXPENSIVE}) for number in range(EXPENSIVE_SWEEPS)]
    hostile.apply(*small, *costly)
    return {**measure_fleet(namespace, sweeps), "where": f"fake nodes, beside {others:,} hostile ones"}


def sweep(name: str, spec: Numbers) -> Numbers:
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthSweep", "metadata": {"name": name}, "spec": spec}


@contextmanager
def measure_operator(namespace: SweepNamespace, sweeps: int) -> Iterator[Numbers]:
    """Measure the operator from the start of the block to the end of all sweeps."""
    operators = Operators(namespace.cluster)
    leader, numbers = operators.wait_for_leader(), Numbers(sweeps=sweeps)
    busy, peak = measure_cpu_seconds(find_by_hostname(leader)), MemoryPeak(lambda: find_by_hostname(leader))
    before, start = len(list(operators.read_calls())), time.monotonic()
    base = f"namespaces/{namespace.name}"
    with (
        peak.watch(),
        watch_list(namespace.cluster, f"/apis/batch/v1/{base}/jobs") as jobs,
        watch_list(namespace.cluster, f"/apis/synth-operator.io/v1alpha1/{base}/synthsweeps") as seen,
    ):
        yield numbers
        wait_until(
            lambda: len(find_ended(seen)) == sweeps, lambda: f"{len(find_ended(seen))} of {sweeps} ended", 90 * MINUTE
        )
    calls = list(operators.read_calls())[before:]
    writes = Counter(
        f"{call.verb} {call.resource}" for call in calls if call.verb in WRITES and call.resource != "leases"
    )
    numbers |= {
        "seconds": time.monotonic() - start,
        "ended": Counter(find_ended(seen).values()),
        "writes": writes,
        "writes per sweep": writes.total() / sweeps,
        "reads": Counter(f"{call.verb} {call.resource}" for call in calls if call.verb not in WRITES),
        "largest status, bytes": max(len(json.dumps(each.body.get("status", {}))) for each in seen.events),
        "lag": compute_lags(jobs, seen),
        "operator, MiB": peak.mebibytes,
        "operator, CPU seconds": measure_cpu_seconds(find_by_hostname(leader)) - busy,
    }
    assert operators.leader == leader, "the operator was restarted"


def find_ended(seen: Watch) -> dict[str, str]:
    """Return the phase of each sweep that has ended, by name."""
    phases = {each.body["metadata"]["name"]: each.body.get("status", {}).get("phase", "") for each in list(seen.events)}
    return {name: phase for name, phase in phases.items() if phase in ("Complete", "Failed")}


def compute_lags(jobs: Watch, sweeps: Watch) -> dict[str, list[float]]:
    """Return the lag in seconds of each sweep, by kind of change."""
    changed, reported = (
        find_first((*find_accepted(sweeps), *find_completed_jobs(jobs))),
        find_first(find_reported(sweeps)),
    )
    by_change: dict[str, list[float]] = {change: [] for change in CHANGES}
    for (name, change), at in sorted(changed.items()):
        by_change[change].append(max(0.0, reported[name, change] - at))
    return by_change


def find_first(changes: Iterable[Change]) -> dict[tuple[str, str], float]:
    """Return the earliest time of each change, by sweep and kind."""
    moments: dict[tuple[str, str], float] = {}
    for name, change, at in changes:
        moments.setdefault((name, change), at)
    return moments


def find_accepted(watch: Watch) -> Iterator[Change]:
    for each in watch.events:
        yield each.body["metadata"]["name"], "accepted", each.at


def find_completed_jobs(watch: Watch) -> Iterator[Change]:
    """Yield the Jobs that complete."""
    named = {"plan": "planned", "render": "rendered", "finalize": "complete"}
    for each in watch.events:
        labels, conditions = each.body["metadata"]["labels"], each.body["status"].get("conditions", ())
        if any(condition["type"] == "Complete" and condition["status"] == "True" for condition in conditions):
            yield labels["synth-operator.io/sweep"], named[labels["synth-operator.io/job"]], each.at


def find_reported(watch: Watch) -> Iterator[Change]:
    """Yield the changes that the status of a sweep shows."""
    for each in watch.events:
        name, status = each.body["metadata"]["name"], each.body.get("status", {})
        attempt, runs = status.get("attempt", {}), status.get("runs", {})
        if status.get("observedGeneration"):
            yield name, "accepted", each.at
        if attempt.get("todo") is not None:
            yield name, "planned", each.at
        if attempt.get("todo") is not None and attempt["todo"] == runs.get("succeeded"):
            yield name, "rendered", each.at
        if status.get("phase") == "Complete":
            yield name, "complete", each.at


def compute_quantile(values: list[float], part: float) -> float:
    """Return a quantile: the smallest value that at least this part of the values does not exceed."""
    return sorted(values)[ceil(part * len(values)) - 1]


def format_table(results: list[Numbers]) -> Table:
    shown = Table("what", *(f"{each['sweeps']:,} x {each['runs']:,} runs, {each['where']}" for each in results))
    rows: dict[str, Any] = {
        "API writes per sweep": lambda each: f"{each['writes per sweep']:.1f}",
        "largest status": lambda each: f"{each['largest status, bytes'] / 1000:.1f} kB",
        "status lag p50 / p99 / max": lambda each: format_quantiles(
            [lag for lags in each["lag"].values() for lag in lags]
        ),
        **{f"… {change}": lambda each, change=change: format_quantiles(each["lag"][change]) for change in CHANGES},
        "operator, peak memory": lambda each: f"{each['operator, MiB']:.0f} MiB",
        "operator, CPU time": lambda each: f"{each['operator, CPU seconds']:.0f} s",
        "all ended after": lambda each: f"{each['seconds']:.0f} s",
    }
    for what, number in rows.items():
        shown.add_row(what, *(number(each) for each in results))
    return shown


def format_quantiles(values: list[float]) -> str:
    return f"{compute_quantile(values, 0.5):.2f} / {compute_quantile(values, 0.99):.2f} / {max(values):.2f} s"


@contextmanager
def run_operator() -> Iterator[tuple[Cluster, NodeStore]]:
    """Run a new cluster with store and operator."""
    subprocess.run([ROOT / "tools" / "cluster-dependencies"], check=True)
    build_base_images()
    build_project_images()
    with running_cluster([OPERATOR, RENDERER]) as cluster:
        store = NodeStore(cluster)
        store.start()
        store.client.make_bucket(BUCKET)
        install_operator(cluster)
        yield cluster, store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="runs of the sweep on real pods; 0: skip it")
    parser.add_argument(
        "--hostile", type=int, default=1000, help="sweeps of a hostile namespace beside 200 others; 0: skip it"
    )
    parser.add_argument(
        "--sweeps", type=int, nargs="*", default=[200, 1000], help="numbers of sweeps at once on fake nodes"
    )
    chosen = parser.parse_args()
    RAW.parent.mkdir(exist_ok=True)
    results = []
    for numbers in measure_parts(chosen.runs, chosen.sweeps, chosen.hostile):
        results.append(numbers)
        RAW.write_text(json.dumps(results, indent=1))  # kept if a later part fails
    Console().print(format_table(results), f"raw numbers: {RAW.relative_to(ROOT)}")


def measure_parts(runs: int, fleets: Iterable[int], hostile: int) -> Iterator[Numbers]:
    """Yield the figures of one part after the other, each on a new cluster."""
    if runs:
        with run_operator() as (cluster, store):
            yield measure_large_sweep(open_namespace(cluster, store, "large"), runs)
    for sweeps in fleets:
        with run_operator() as (cluster, store):
            cluster.kubectl("cordon", NODE)
            yield measure_fleet(open_namespace(cluster, store, "fleet"), sweeps)
    if hostile:
        with run_operator() as (cluster, store):
            cluster.kubectl("cordon", NODE)
            others = open_namespace(cluster, store, "fleet"), open_namespace(cluster, store, "hostile")
            yield measure_beside_hostile(*others, HONEST_SWEEPS, hostile)


def open_namespace(cluster: Cluster, store: NodeStore, name: str) -> SweepNamespace:
    namespace = SweepNamespace(cluster, store, name)
    namespace.create()
    return namespace


if __name__ == "__main__":
    main()
