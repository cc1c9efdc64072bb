"""Deletion of a sweep: its children go, and `deletionPolicy` decides about its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.faults import stop_store
from harness.operator_chart import OPERATOR_NAMESPACE
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket
from waiting import wait_until

from synth_api.jobs.names import FORCE_DELETE_ANNOTATION
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

SMALL: Final = (SMALL_PICTURE, f"{NUMBER}=2")


def build_overrides(number: int) -> list[str]:
    return [*SMALL, f"{SEED}=range({number})"]


def complete_sweep(namespace: SweepNamespace, name: str, **spec: Any) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", **spec)
    assert namespace.wait_for_end(name).phase is Phase.COMPLETE


def delete_sweep(namespace: SweepNamespace, name: str, *options: str) -> None:
    """Delete a sweep and wait for its end, as a user does."""
    namespace.kubectl("delete", "synthsweep", name, *(options or ("--timeout=300s",)))


def list_children(namespace: SweepNamespace, name: str) -> list[str]:
    """Return the names of the sweep's Jobs, pods and ConfigMaps."""
    selector = f"--selector=synth-operator.io/sweep={name}"
    return namespace.kubectl("get", "jobs,pods,configmaps", selector, "--output=name").split()


def wait_until_childless(namespace: SweepNamespace, name: str) -> None:
    wait_until(lambda: not list_children(namespace, name), lambda: f"left behind: {list_children(namespace, name)}")


def list_outputs(namespace: SweepNamespace, name: str) -> list[str]:
    return list(open_bucket(namespace).iterate_files(f"sweeps/{namespace.name}/{name}"))


def list_runs(namespace: SweepNamespace) -> set[str]:
    return set(open_bucket(namespace).iterate_keys())


def test_retain_keeps_outputs_and_delete_removes_those_that_no_other_sweep_uses(namespace: SweepNamespace) -> None:
    complete_sweep(namespace, "kept", overrides=build_overrides(1))
    delete_sweep(namespace, "kept")
    wait_until_childless(namespace, "kept")
    kept = list_runs(namespace)
    assert len(kept) == 1
    assert list_outputs(namespace, "kept")

    complete_sweep(namespace, "gone", overrides=build_overrides(3), deletionPolicy="Delete")
    assert len(list_runs(namespace)) == 3
    delete_sweep(namespace, "gone")

    assert list_runs(namespace) == kept
    assert not list_outputs(namespace, "gone")
    assert {path.split("/")[2] for path in open_bucket(namespace).iterate_files("runs")} == kept


def test_a_sweep_is_deleted_while_it_renders(namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    template = namespace.apply_trial_engine("render_held", HELD="11,21")
    for name, policy, seeds in (("staying", "Retain", "10,11"), ("going", "Delete", "20,21")):
        overrides = [*SMALL, f"{SEED}={seeds}"]
        namespace.apply_sweep(
            name, "spheres-sem", overrides=overrides, podTemplate=template, deletionPolicy=policy, batchSize=2
        )
    wait_until(
        lambda: len(list_runs(namespace)) == 2, lambda: f"not one run of each; {namespace.describe_sweep('staying')}"
    )

    delete_sweep(namespace, "staying")
    delete_sweep(namespace, "going", "--cascade=foreground", "--timeout=300s")

    wait_until_childless(namespace, "staying")
    wait_until(
        lambda: not namespace.list_pods("going", "render"), lambda: f"left behind: {list_children(namespace, 'going')}"
    )
    assert len(list_runs(namespace)) == 1
    assert list_outputs(namespace, "staying")
    assert not list_outputs(namespace, "going")


def test_deletion_waits_for_the_store_and_can_be_forced(namespace: SweepNamespace) -> None:
    complete_sweep(namespace, "patient", overrides=build_overrides(1), deletionPolicy="Delete")
    complete_sweep(namespace, "forced", overrides=build_overrides(2), deletionPolicy="Delete")
    with stop_store(namespace.store):
        for name in ("patient", "forced"):
            delete_sweep(namespace, name, "--wait=false")
        status = namespace.wait_for_status(
            "forced",
            lambda status: find_ready_reason(status) is Reason.STORE_UNREACHABLE,
            "the reason is not StoreUnreachable",
        )
        assert status.phase is Phase.DELETING
        force_annotation = f"{FORCE_DELETE_ANNOTATION}=true"
        assert force_annotation in find_ready_message(status)

        namespace.kubectl("annotate", "synthsweep", "forced", force_annotation)
        namespace.kubectl("wait", "--for=delete", "synthsweep/forced", "--timeout=300s")
    assert list_outputs(namespace, "forced")

    namespace.kubectl("wait", "--for=delete", "synthsweep/patient", "--timeout=300s")
    assert not list_outputs(namespace, "patient")


def test_a_namespace_goes_with_a_sweep_whose_outputs_no_job_can_delete(namespace: SweepNamespace) -> None:
    template = namespace.apply_trial_engine("render_nothing")
    complete_sweep(namespace, "last", overrides=build_overrides(1), deletionPolicy="Delete", podTemplate=template)
    namespace.cluster.kubectl("delete", "namespace", namespace.name, "--timeout=300s")

    events = namespace.cluster.get_object("events", namespace=OPERATOR_NAMESPACE)["items"]
    (told,) = (event["message"] for event in events if event["reason"] == "OutputsKept")
    assert told.endswith(f"stay in s3://datasets/{namespace.name}, sweeps/{namespace.name}/last.")
    assert list_outputs(namespace, "last")
