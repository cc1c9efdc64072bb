"""Deleting a sweep: its children go, its outputs stay or go as it says, whatever it was doing and whatever is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.cluster import wait_until
from harness.faults import stop_store
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket

from synth_api.jobs.names import FORCE_DELETE_ANNOTATION
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import ready_message, ready_reason

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

SMALL: Final = (SMALL_PICTURE, f"{NUMBER}=2")


def seeds(number: int) -> list[str]:
    return [*SMALL, f"{SEED}=range({number})"]


def complete(namespace: SweepNamespace, name: str, **spec: Any) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", **spec)
    assert namespace.wait_for_end(name).phase is Phase.COMPLETE


def delete(namespace: SweepNamespace, name: str, *options: str) -> None:
    """As a user does it, who waits a minute for it."""
    namespace.kubectl("delete", "synthsweep", name, *(options or ("--timeout=60s",)))


def children(namespace: SweepNamespace, name: str) -> list[str]:
    """Jobs, pods and ConfigMaps."""
    selector = f"--selector=synth-operator.io/sweep={name}"
    return namespace.kubectl("get", "jobs,pods,configmaps", selector, "--output=name").split()


def until_childless(namespace: SweepNamespace, name: str) -> None:
    wait_until(lambda: not children(namespace, name), lambda: f"left behind: {children(namespace, name)}", 90)


def outputs(namespace: SweepNamespace, name: str) -> list[str]:
    return list(open_bucket(namespace).files(f"sweeps/{namespace.name}/{name}"))


def runs(namespace: SweepNamespace) -> set[str]:
    return set(open_bucket(namespace).keys())


def test_outputs_stay_with_retain_and_go_with_delete_but_for_what_others_use(namespace: SweepNamespace) -> None:
    complete(namespace, "kept", overrides=seeds(1))
    delete(namespace, "kept")
    until_childless(namespace, "kept")
    kept = runs(namespace)
    assert len(kept) == 1
    assert outputs(namespace, "kept")

    complete(namespace, "gone", overrides=seeds(3), deletionPolicy="Delete")
    assert len(runs(namespace)) == 3
    delete(namespace, "gone")

    assert runs(namespace) == kept
    assert not outputs(namespace, "gone")
    assert {path.split("/")[2] for path in open_bucket(namespace).files("runs")} == kept


def test_a_sweep_is_deleted_while_it_renders(namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    template = namespace.apply_trial_engine("render_held", HELD="11,21")
    for name, policy, seeds in (("staying", "Retain", "10,11"), ("going", "Delete", "20,21")):
        overrides = [*SMALL, f"{SEED}={seeds}"]
        namespace.apply_sweep(
            name, "spheres-sem", overrides=overrides, podTemplate=template, deletionPolicy=policy, batchSize=2
        )
    wait_until(lambda: len(runs(namespace)) == 2, lambda: f"not one run of each; {namespace.describe_sweep('staying')}")

    delete(namespace, "staying")
    delete(namespace, "going", "--cascade=foreground", "--timeout=60s")

    until_childless(namespace, "staying")
    wait_until(
        lambda: not namespace.list_pods("going", "render"), lambda: f"left behind: {children(namespace, 'going')}"
    )
    assert len(runs(namespace)) == 1
    assert outputs(namespace, "staying")
    assert not outputs(namespace, "going")


def test_outputs_go_when_the_store_is_back_and_nobody_waits_for_ever(namespace: SweepNamespace) -> None:
    complete(namespace, "patient", overrides=seeds(1), deletionPolicy="Delete")
    complete(namespace, "forced", overrides=seeds(2), deletionPolicy="Delete")
    with stop_store(namespace.store):
        for name in ("patient", "forced"):
            delete(namespace, name, "--wait=false")
        status = namespace.wait_for_status(
            "forced", lambda status: ready_reason(status) is Reason.STORE_UNREACHABLE, "it is not told"
        )
        assert status.phase is Phase.DELETING
        way_out = f"{FORCE_DELETE_ANNOTATION}=true"
        assert way_out in ready_message(status)

        namespace.kubectl("annotate", "synthsweep", "forced", way_out)
        namespace.kubectl("wait", "--for=delete", "synthsweep/forced", "--timeout=30s")
    assert outputs(namespace, "forced")

    namespace.kubectl("wait", "--for=delete", "synthsweep/patient", "--timeout=60s")
    assert not outputs(namespace, "patient")
