"""What Flux and Argo CD see: kstatus, the library by which they judge, on every state that a real sweep was in."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from harness.cluster import wait_until
from harness.commands import run_command
from harness.slot import find_program
from harness.watch import watch_list
from operators import WRITES, Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import ready_reason

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


def verdicts(objects: list[dict[str, Any]]) -> list[str]:
    """What kstatus says of each."""
    text = run_command(find_program("kstatus"), stdin="".join(f"{json.dumps(each)}\n" for each in objects))
    return [line.split("\t")[0] for line in text.splitlines()]


def by_phase(bodies: list[dict[str, Any]]) -> dict[Phase, set[str]]:
    """Of those whose spec was looked at and that stay: an edit is in progress, and what goes is going."""
    judged: dict[Phase, set[str]] = defaultdict(set)
    for body, verdict in zip(bodies, verdicts(bodies), strict=True):
        judged[Phase(body["status"]["phase"])].add(verdict)
    return judged


def is_settled(body: dict[str, Any]) -> bool:
    """Whether the operator has seen the last edit, or nothing at all yet, and the object is not on its way out."""
    seen = body["status"]["observedGeneration"] in (0, body["metadata"]["generation"])
    return seen and ("deletionTimestamp" not in body["metadata"] or body["status"]["phase"] == Phase.DELETING)


def live_through_all_phases(namespace: SweepNamespace) -> None:
    """One sweep from the missing recipe to its deletion, and one that fails."""
    template = namespace.apply_trial_engine("render_held", HELD="0")
    namespace.apply_sweep("good", "absent", overrides=POSSIBLE, podTemplate=template, deletionPolicy="Delete")
    namespace.apply_sweep("bad", "spheres-sem", overrides=IMPOSSIBLE)
    namespace.wait_for_status(
        "good", lambda status: ready_reason(status) is Reason.RECIPE_NOT_FOUND, "the recipe was found"
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
    namespace.kubectl("delete", "synthsweep", "good", "--timeout=60s")


def test_kstatus_judges_every_state_of_a_sweep_right(cluster: Cluster, namespace: SweepNamespace) -> None:
    path = f"/apis/synth-operator.io/v1alpha1/namespaces/{namespace.name}/synthsweeps"
    namespace.apply_recipe("spheres-sem", load_recipe())
    with watch_list(cluster, path) as watch:
        live_through_all_phases(namespace)
        wait_until(lambda: is_gone(watch, "good"), "the watch has not seen the end")
    bodies = [seen.body for seen in watch.events if seen.type != "DELETED"]

    assert by_phase([body for body in bodies if is_settled(body)]) == VERDICTS
    others = [body for body in bodies if not is_settled(body)]
    assert set(verdicts(others)) <= {"InProgress", "Terminating"}


def is_gone(watch: Watch, name: str) -> bool:
    return any((seen.type, seen.body["metadata"]["name"]) == ("DELETED", name) for seen in watch.events)


def test_what_only_an_edit_helps_is_failed_and_a_recipe_is_judged_too(
    cluster: Cluster, namespace: SweepNamespace
) -> None:
    broken = load_recipe()
    broken["blueprints"]["particles"]["Bead"]["number"] = -1
    namespace.apply_recipe("broken", broken)
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("stalled", "broken")
    namespace.wait_for_status(
        "stalled", lambda status: ready_reason(status) is Reason.RECIPE_INVALID, "the recipe was taken"
    )

    expected = {("synthrecipe", "broken"): "Failed", ("synthrecipe", "spheres-sem"): "Current"}
    expected["synthsweep", "stalled"] = "Failed"
    objects = [cluster.get_object(kind, name, namespace.name) for kind, name in expected]
    assert verdicts(objects) == list(expected.values())


def apply_as_argo(namespace: SweepNamespace, documents: list[dict[str, Any]]) -> None:
    """Server-side and without force: a field that another manager has meanwhile made its own is an error."""
    text = "\n---\n".join(map(json.dumps, documents))
    options = ("--server-side", "--field-manager=argocd-controller", "--filename=-")
    namespace.kubectl("apply", *options, stdin=text)


def content(namespace: SweepNamespace, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects as they are, but for the list of who manages what, and the version that grows with it."""
    objects = [
        namespace.cluster.get_object(each["kind"], each["metadata"]["name"], namespace.name) for each in documents
    ]
    hidden = ("managedFields", "resourceVersion")
    return [
        {**each, "metadata": {key: value for key, value in each["metadata"].items() if key not in hidden}}
        for each in objects
    ]


def test_another_manager_may_apply_the_manifests_again_and_changes_nothing(
    cluster: Cluster, namespace: SweepNamespace
) -> None:
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
    before, calls = content(namespace, documents), len(list(Operators(cluster).read_calls()))

    apply_as_argo(namespace, documents)
    namespace.apply_sweep("later", "steady", overrides=POSSIBLE)
    assert namespace.wait_for_end("later").runs.cached == 1

    assert content(namespace, documents) == before
    assert [each["metadata"]["generation"] for each in before] == [1, 1]
    since = list(Operators(cluster).read_calls())[calls:]
    assert not [
        call for call in since if call.verb in WRITES and (call.namespace, call.name) == (namespace.name, "steady")
    ]
