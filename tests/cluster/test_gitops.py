"""Health of sweeps for Flux and Argo CD: kstatus, the library that Flux uses, on every state of a real sweep."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from harness.commands import run_command
from harness.slot import find_program
from harness.watch import watch_list
from operators import WRITES, Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_reason

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace
    from harness.watch import Watch

POSSIBLE: Final = [f"{SEED}=0"]
IMPOSSIBLE: Final = [SMALL_PICTURE, f"{NUMBER}=9000"]
VERDICTS: Final = {
    Phase.PENDING: {"InProgress"},
    Phase.PLANNING: {"InProgress"},
    Phase.WAITING: {"InProgress"},
    Phase.RENDERING: {"InProgress"},
    Phase.FINALIZING: {"InProgress"},
    Phase.SUSPENDED: {"InProgress"},
    Phase.COMPLETE: {"Current"},
    Phase.FAILED: {"Failed"},
    Phase.DELETING: {"Terminating"},
}


def run_kstatus(objects: list[dict[str, Any]]) -> list[str]:
    """Return kstatus' verdict on each object."""
    text = run_command(find_program("kstatus"), stdin="".join(f"{json.dumps(each)}\n" for each in objects))
    return [line.split("\t")[0] for line in text.splitlines()]


def group_by_phase(bodies: list[dict[str, Any]]) -> dict[Phase, set[str]]:
    """Return phase -> verdicts of the objects."""
    judged: dict[Phase, set[str]] = defaultdict(set)
    for body, verdict in zip(bodies, run_kstatus(bodies), strict=True):
        judged[Phase(body["status"]["phase"])].add(verdict)
    return judged


def is_observed(body: dict[str, Any]) -> bool:
    """Return True if the status is that of the last edit, or still empty, and the object is not being deleted."""
    seen = body["status"]["observedGeneration"] in (0, body["metadata"]["generation"])
    return seen and ("deletionTimestamp" not in body["metadata"] or body["status"]["phase"] == Phase.DELETING)


def run_through_all_phases(namespace: SweepNamespace) -> None:
    """Take one sweep from the missing recipe to its deletion, and let one fail."""
    template = namespace.apply_trial_engine("render_held", HELD="0")
    namespace.apply_sweep("good", "absent", overrides=POSSIBLE, podTemplate=template, deletionPolicy="Delete")
    namespace.apply_sweep("bad", "spheres-sem", overrides=IMPOSSIBLE)
    namespace.wait_for_status(
        "good", lambda status: find_ready_reason(status) is Reason.RECIPE_NOT_FOUND, "the recipe was found"
    )
    namespace.apply_recipe("absent", load_recipe())
    namespace.wait_for_status("good", lambda status: status.phase is Phase.RENDERING, "it does not render")
    namespace.patch_sweep("good", suspend=True)
    namespace.wait_for_status("good", lambda status: status.phase is Phase.SUSPENDED, "it was not suspended")
    namespace.patch_sweep("good", suspend=False)
    namespace.wait_for_status("good", lambda _: namespace.list_running_pods("good"), "it was not resumed")
    namespace.release_pods("good")
    namespace.wait_for_end("good")
    namespace.wait_for_end("bad")
    namespace.kubectl("delete", "synthsweep", "good", "--timeout=300s")


def test_kstatus_agrees_with_every_phase_of_a_sweep(cluster: Cluster, namespace: SweepNamespace) -> None:
    path = f"/apis/synth-operator.io/v1alpha1/namespaces/{namespace.name}/synthsweeps"
    namespace.apply_recipe("spheres-sem", load_recipe())
    with watch_list(cluster, path) as watch:
        run_through_all_phases(namespace)
        wait_until(lambda: is_deleted(watch, "good"), "the watch has not seen the end")
    bodies = [seen.body for seen in watch.events if seen.type != "DELETED"]

    assert group_by_phase([body for body in bodies if is_observed(body)]) == VERDICTS
    others = [body for body in bodies if not is_observed(body)]
    assert set(run_kstatus(others)) <= {"InProgress", "Terminating"}


def is_deleted(watch: Watch, name: str) -> bool:
    return any((seen.type, seen.body["metadata"]["name"]) == ("DELETED", name) for seen in watch.events)


def test_a_stalled_sweep_and_its_recipe_are_failed(cluster: Cluster, namespace: SweepNamespace) -> None:
    broken = load_recipe()
    broken["blueprints"]["particles"]["Bead"]["number"] = -1
    namespace.apply_recipe("broken", broken)
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("stalled", "broken")
    namespace.wait_for_status(
        "stalled", lambda status: find_ready_reason(status) is Reason.RECIPE_INVALID, "the recipe was taken"
    )

    expected = {("synthrecipe", "broken"): "Failed", ("synthrecipe", "spheres-sem"): "Current"}
    expected["synthsweep", "stalled"] = "Failed"
    objects = [cluster.get_object(kind, name, namespace.name) for kind, name in expected]
    assert run_kstatus(objects) == list(expected.values())


def apply_as_argo(namespace: SweepNamespace, documents: list[dict[str, Any]]) -> None:
    """Apply server-side without force: a field that another manager owns is an error."""
    text = "\n---\n".join(map(json.dumps, documents))
    options = ("--server-side", "--field-manager=argocd-controller", "--filename=-")
    namespace.kubectl("apply", *options, stdin=text)


def read_contents(namespace: SweepNamespace, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the objects without managed fields and resource version."""
    objects = [
        namespace.cluster.get_object(each["kind"], each["metadata"]["name"], namespace.name) for each in documents
    ]
    hidden = ("managedFields", "resourceVersion")
    return [
        {**each, "metadata": {key: value for key, value in each["metadata"].items() if key not in hidden}}
        for each in objects
    ]


def test_a_second_apply_by_another_manager_changes_nothing(cluster: Cluster, namespace: SweepNamespace) -> None:
    kinds = {"apiVersion": "synth-operator.io/v1alpha1", "metadata": {"name": "steady"}}
    spec = {
        **namespace.small_spec,
        "recipeRef": {"name": "steady"},
        "overrides": POSSIBLE,
        "podTemplate": namespace.apply_trial_engine("render_held", HELD="0"),
        "deletionPolicy": "Delete",
    }
    documents = [
        {**kinds, "kind": "SynthRecipe", "spec": {"recipe": load_recipe()}},
        {**kinds, "kind": "SynthSweep", "spec": spec},
    ]
    namespace.apply(*documents)
    namespace.wait_for_status("steady", lambda _: namespace.list_running_pods("steady"), "it does not render")
    apply_as_argo(namespace, documents)
    namespace.release_pods("steady")
    namespace.wait_for_end("steady")
    before, calls = read_contents(namespace, documents), len(list(Operators(cluster).read_calls()))

    apply_as_argo(namespace, documents)
    namespace.apply_sweep("later", "steady", overrides=POSSIBLE)
    assert namespace.wait_for_end("later").runs.cached == 1

    assert read_contents(namespace, documents) == before
    assert [each["metadata"]["generation"] for each in before] == [1, 1]
    since = list(Operators(cluster).read_calls())[calls:]
    assert not [
        call for call in since if call.verb in WRITES and (call.namespace, call.name) == (namespace.name, "steady")
    ]
