"""A new release of operator and chart: what is finished stays finished, what renders goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.cluster import until
from harness.images import OPERATOR, RENDERER
from harness.lab import SYSTEM, install_operator
from harness.place import CONTAINERD
from operators import Operators
from servers import ROOT
from spheres import NUMBER, SEED, SMALL_PICTURE, recipe

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.cluster import Cluster
    from harness.lab import Lab

RELEASE: Final = "9.9.9"
FINISHED: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2)"]
RUNNING: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2,6)"]


@pytest.fixture
def upgrade(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Brings the next release: its chart, images and another default for pods; the former one comes back afterwards."""
    cluster.helm(
        *("package", str(ROOT / "charts" / "synth-operator"), f"--destination={tmp_path}"),
        *(f"--version={RELEASE}", f"--app-version={RELEASE}"),
    )
    for image in (OPERATOR, RENDERER):
        new = f"{image.rsplit(':', 1)[0]}:{RELEASE}"
        cluster.sandbox.run("ctr", f"--address={CONTAINERD}", "-n", "k8s.io", "images", "tag", "--force", image, new)

    def bring() -> None:
        cluster.helm(
            *("upgrade", "synth", str(tmp_path / f"synth-operator-{RELEASE}.tgz"), f"--namespace={SYSTEM}"),
            *("--reset-then-reuse-values", "--set=image.tag=,renderer.image.tag="),
            *("--set=sweeps.terminationGracePeriodSeconds=61", "--wait", "--timeout=120s"),
        )

    yield bring
    install_operator(cluster)


def identities(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["metadata"]["name"], each["metadata"]["uid"]) for each in objects}


def test_an_upgrade_disturbs_no_sweep(lab: Lab, cluster: Cluster, upgrade: Callable[[], None]) -> None:
    operators = Operators(cluster)
    lab.recipe("spheres-sem", recipe())
    template = lab.trial_engine("held", HELD="2,4")
    lab.sweep("finished", "spheres-sem", overrides=FINISHED, podTemplate=template)
    lab.sweep("running", "spheres-sem", overrides=RUNNING, podTemplate=template, parallelism=2, batchSize=2)
    assert lab.finished("finished").phase is Phase.COMPLETE
    until(lambda: len(lab.working("running")) == 2, lambda: f"not two pods; {lab.report('running')}")
    finished = cluster.get("synthsweep", "finished", lab.namespace)
    jobs, pods = identities(lab.jobs("running", "render")), identities(lab.pods("running", "render"))
    former = operators.settled()

    upgrade()
    leader = operators.new_leader(former, 60)
    pod = cluster.get("pod", leader, SYSTEM)
    assert pod["spec"]["containers"][0]["image"].endswith(f":{RELEASE}")
    lab.sweep("again", "spheres-sem", overrides=FINISHED)
    again = lab.finished("again")

    assert (again.runs.total, again.runs.cached) == (2, 2)
    assert cluster.get("synthsweep", "finished", lab.namespace) == finished
    assert identities(lab.jobs("running", "render")) == jobs
    assert identities(lab.pods("running", "render")) == pods
    lab.let_go("running")
    status = lab.finished("running")
    assert (status.phase, status.runs.total, status.runs.succeeded) == (Phase.COMPLETE, 4, 4)
    made = [call.name for call in operators.calls() if call.rule == ("batch", "jobs", "create")]
    of_running = [name.rsplit("-", 1)[1] for name in made if name.startswith("running-")]
    assert sorted(of_running) == ["f", "p", "r0"]
