"""A tenant who may edit sweeps tries what the platform does not allow, and uses what it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.operator_chart import install_operator
from overlay_attempts import ALLOWED, ATTEMPTS, CLAIM, LAB_TAINT, PRIORITY
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

REFUSALS: Final = (Reason.NOT_ALLOWED, Reason.POD_TEMPLATE_INVALID)
RUNS: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=1"]
TAINT: Final = [f"sweeps.overlay.tolerations[0].{key}={value}" for key, value in LAB_TAINT.items()]


@pytest.fixture
def cautious_operator(cluster: Cluster) -> Iterator[None]:
    """The operator with the chart's defaults, and one taint, claim and priority class for sweeps."""
    meaning = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1}
    cluster.apply({**meaning, "metadata": {"name": PRIORITY}})
    install_operator(
        cluster,
        *("sweeps.overlay.trusted=false", f"sweeps.overlay.claims={{{CLAIM}}}", *TAINT),
        *(f"sweeps.priorityClasses={{{PRIORITY}}}", f"sweeps.allowedImages={{{cluster.images[1]}}}"),
    )
    yield
    install_operator(cluster)


def build_sweep(namespace: SweepNamespace, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    common = {"recipeRef": {"name": "spheres-sem"}, "overrides": RUNS, **namespace.small_spec}
    return {
        **{"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthSweep"},
        **{"metadata": {"name": name}, "spec": {**common, **spec}},
    }


def apply_claim(namespace: SweepNamespace) -> None:
    """Create a claim and its volume, a folder of the node."""
    size, volume = {"storage": "1Mi"}, f"{CLAIM}-{namespace.name}"
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    folder = {"path": f"/tmp/{volume}", "type": "DirectoryOrCreate"}
    namespace.cluster.apply(
        {
            **{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume}},
            "spec": {**common, "capacity": size, "hostPath": folder},
        }
    )
    namespace.apply(
        {
            **{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}},
            "spec": {**common, "volumeName": volume, "resources": {"requests": size}},
        }
    )


def read_statuses(namespace: SweepNamespace) -> dict[str, SweepStatus]:
    items = namespace.cluster.get_object("synthsweeps", namespace=namespace.name)["items"]
    return {item["metadata"]["name"]: SweepStatus.model_validate(item["status"]) for item in items}


def list_undecided(namespace: SweepNamespace) -> list[str]:
    """Return the attempts that the operator has not refused, with what it says of them."""
    statuses = read_statuses(namespace)
    return [
        f"{name}: {find_ready_message(statuses[name])}"
        for name in ATTEMPTS
        if find_ready_reason(statuses[name]) not in REFUSALS
    ]


@pytest.mark.usefixtures("cautious_operator")
def test_only_what_the_platform_lists_runs_and_every_other_attempt_is_refused_by_name(
    namespace: SweepNamespace,
) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    apply_claim(namespace)
    attempts = [build_sweep(namespace, name, spec) for name, (spec, _) in ATTEMPTS.items()]
    allowed = {"podTemplate": ALLOWED, "deletionPolicy": "Delete", "ttlSecondsAfterFinished": 600}
    namespace.apply(build_sweep(namespace, "allowed", allowed), *attempts)

    wait_until(lambda: not list_undecided(namespace), lambda: f"not refused: {list_undecided(namespace)}")
    statuses = read_statuses(namespace)
    unnamed = [
        name for name, (_, field) in ATTEMPTS.items() if f"spec.{field}" not in find_ready_message(statuses[name])
    ]
    assert not unnamed, "the message does not name the field"
    assert namespace.wait_for_end("allowed").phase is Phase.COMPLETE
    (pod, *_) = namespace.list_pods("allowed", "render")
    assert pod["spec"]["priorityClassName"] == PRIORITY
    assert LAB_TAINT.items() <= pod["spec"]["tolerations"][0].items()
    namespace.kubectl("delete", "synthsweep", "allowed", "--timeout=300s")  # its pod passes Pod Security too
    jobs = namespace.cluster.get_object("jobs", namespace=namespace.name)["items"]
    assert {job["metadata"]["labels"]["synth-operator.io/sweep"] for job in jobs} <= {"allowed"}
