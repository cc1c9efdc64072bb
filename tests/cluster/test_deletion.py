"""Deleting a sweep: its children go, its outputs stay or go as it says, whatever it was doing and whatever is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.cluster import until
from harness.faults import stopped
from spheres import NUMBER, SEED, SMALL_PICTURE, bucket, recipe

from synth_api.jobs.names import FORCE_DELETE_ANNOTATION
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import ready_message, ready_reason

if TYPE_CHECKING:
    from harness.lab import Lab

SMALL: Final = (SMALL_PICTURE, f"{NUMBER}=2")


def seeds(number: int) -> list[str]:
    return [*SMALL, f"{SEED}=range({number})"]


def complete(lab: Lab, name: str, **spec: Any) -> None:
    lab.recipe("spheres-sem", recipe())
    lab.sweep(name, "spheres-sem", **spec)
    assert lab.finished(name).phase is Phase.COMPLETE


def delete(lab: Lab, name: str, *options: str) -> None:
    """As a user does it, who waits a minute for it."""
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthsweep", name, *(options or ("--timeout=60s",)))


def children(lab: Lab, name: str) -> list[str]:
    """Jobs, pods and ConfigMaps."""
    selector = f"--selector=synth-operator.io/sweep={name}"
    return lab.cluster.kubectl("-n", lab.namespace, "get", "jobs,pods,configmaps", selector, "--output=name").split()


def until_childless(lab: Lab, name: str) -> None:
    until(lambda: not children(lab, name), lambda: f"left behind: {children(lab, name)}", 90)


def outputs(lab: Lab, name: str) -> list[str]:
    return list(bucket(lab).files(f"sweeps/{lab.namespace}/{name}"))


def runs(lab: Lab) -> set[str]:
    return set(bucket(lab).keys())


def test_outputs_stay_with_retain_and_go_with_delete_but_for_what_others_use(lab: Lab) -> None:
    complete(lab, "kept", overrides=seeds(1))
    delete(lab, "kept")
    until_childless(lab, "kept")
    kept = runs(lab)
    assert len(kept) == 1
    assert outputs(lab, "kept")

    complete(lab, "gone", overrides=seeds(3), deletionPolicy="Delete")
    assert len(runs(lab)) == 3
    delete(lab, "gone")

    assert runs(lab) == kept
    assert not outputs(lab, "gone")
    assert {path.split("/")[2] for path in bucket(lab).files("runs")} == kept


def test_a_sweep_is_deleted_while_it_renders(lab: Lab) -> None:
    lab.recipe("spheres-sem", recipe())
    template = lab.trial_engine("held", HELD="11,21")
    for name, policy, seeds in (("staying", "Retain", "10,11"), ("going", "Delete", "20,21")):
        overrides = [*SMALL, f"{SEED}={seeds}"]
        lab.sweep(name, "spheres-sem", overrides=overrides, podTemplate=template, deletionPolicy=policy, batchSize=2)
    until(lambda: len(runs(lab)) == 2, lambda: f"not one run of each; {lab.report('staying')}")

    delete(lab, "staying")
    delete(lab, "going", "--cascade=foreground", "--timeout=60s")

    until_childless(lab, "staying")
    until(lambda: not lab.pods("going", "render"), lambda: f"left behind: {children(lab, 'going')}")
    assert len(runs(lab)) == 1
    assert outputs(lab, "staying")
    assert not outputs(lab, "going")


def test_outputs_go_when_the_store_is_back_and_nobody_waits_for_ever(lab: Lab) -> None:
    complete(lab, "patient", overrides=seeds(1), deletionPolicy="Delete")
    complete(lab, "forced", overrides=seeds(2), deletionPolicy="Delete")
    with stopped(lab.store):
        for name in ("patient", "forced"):
            delete(lab, name, "--wait=false")
        status = lab.until("forced", lambda status: ready_reason(status) is Reason.STORE_UNREACHABLE, "it is not told")
        assert status.phase is Phase.DELETING
        way_out = f"{FORCE_DELETE_ANNOTATION}=true"
        assert way_out in ready_message(status)

        lab.cluster.kubectl("-n", lab.namespace, "annotate", "synthsweep", "forced", way_out)
        lab.cluster.kubectl("-n", lab.namespace, "wait", "--for=delete", "synthsweep/forced", "--timeout=30s")
    assert outputs(lab, "forced")

    lab.cluster.kubectl("-n", lab.namespace, "wait", "--for=delete", "synthsweep/patient", "--timeout=60s")
    assert not outputs(lab, "patient")
