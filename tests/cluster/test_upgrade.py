"""Upgrade of operator and chart: finished sweeps stay finished, and rendering continues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.images import OPERATOR, RENDERER
from harness.operator_chart import OPERATOR_NAMESPACE, install_operator
from harness.slot import CONTAINERD
from operators import Operators
from servers import ROOT
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

RELEASE: Final = "9.9.9"
FINISHED: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2)"]
RUNNING: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2,6)"]


@pytest.fixture
def upgrade(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Return a function that upgrades chart, images and a default for pods; the upgrade is undone afterwards."""
    cluster.helm(
        *("package", str(ROOT / "charts" / "synth-operator"), f"--destination={tmp_path}"),
        *(f"--version={RELEASE}", f"--app-version={RELEASE}"),
    )
    for image in (OPERATOR, RENDERER):
        new = f"{image.rsplit(':', 1)[0]}:{RELEASE}"
        cluster.sandbox.run("ctr", f"--address={CONTAINERD}", "-n", "k8s.io", "images", "tag", "--force", image, new)

    def upgrade_release() -> None:
        cluster.helm(
            *("upgrade", "synth", str(tmp_path / f"synth-operator-{RELEASE}.tgz"), f"--namespace={OPERATOR_NAMESPACE}"),
            *("--reset-then-reuse-values", "--set=image.tag=,renderer.image.tag="),
            *("--set=sweeps.terminationGracePeriodSeconds=61", "--wait", "--timeout=300s"),
        )

    yield upgrade_release
    install_operator(cluster)


def read_identities(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["metadata"]["name"], each["metadata"]["uid"]) for each in objects}


def test_an_upgrade_keeps_jobs_and_pods_of_running_sweeps(
    namespace: SweepNamespace, cluster: Cluster, upgrade: Callable[[], None]
) -> None:
    operators = Operators(cluster)
    namespace.apply_recipe("spheres-sem", load_recipe())
    template = namespace.apply_trial_engine("render_held", HELD="2,4")
    namespace.apply_sweep("finished", "spheres-sem", overrides=FINISHED, podTemplate=template)
    namespace.apply_sweep("running", "spheres-sem", overrides=RUNNING, podTemplate=template, parallelism=2, batchSize=2)
    assert namespace.wait_for_end("finished").phase is Phase.COMPLETE
    wait_until(
        lambda: len(namespace.list_running_pods("running")) == 2,
        lambda: f"not two pods; {namespace.describe_sweep('running')}",
    )
    finished = cluster.get_object("synthsweep", "finished", namespace.name)
    jobs, pods = (
        read_identities(namespace.list_jobs("running", "render")),
        read_identities(namespace.list_pods("running", "render")),
    )
    former = operators.wait_for_leader()

    upgrade()
    leader = operators.wait_for_new_leader(former, 60)
    pod = cluster.get_object("pod", leader, OPERATOR_NAMESPACE)
    assert pod["spec"]["containers"][0]["image"].endswith(f":{RELEASE}")
    namespace.apply_sweep("again", "spheres-sem", overrides=FINISHED)
    again = namespace.wait_for_end("again")

    assert (again.runs.total, again.runs.cached) == (2, 2)
    assert cluster.get_object("synthsweep", "finished", namespace.name) == finished
    assert read_identities(namespace.list_jobs("running", "render")) == jobs
    assert read_identities(namespace.list_pods("running", "render")) == pods
    namespace.release_pods("running")
    status = namespace.wait_for_end("running")
    assert (status.phase, status.runs.total, status.runs.succeeded) == (Phase.COMPLETE, 4, 4)
    made = [call.name for call in operators.read_calls() if call.rule == ("batch", "jobs", "create")]
    of_running = [name.rsplit("-", 1)[1] for name in made if name.startswith("running-")]
    assert sorted(of_running) == ["f", "p", "r0"]
