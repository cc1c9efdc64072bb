"""What a tenant with the role `edit` in his own namespace tells the operator: forged messages, pods, Jobs, ConfigMaps.

All sweeps start at once, so that waiting costs the suite little. Render pods use an engine that does nothing.
"""

from __future__ import annotations

import json
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.commands import CommandError
from harness.operator_chart import OPERATOR_NAMESPACE
from harness.sweep_namespace import SweepNamespace
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.jobs.names import SWEEP_LABEL
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.node_store import NodeStore

HOSTILE: Final = "\x1b[31mred\x07 \u202eright to left"
INDEX: Final = "batch.kubernetes.io/job-completion-index"
MESSAGE: Final = '{"kind": "batch", "batch": BATCH, "size": 1, %s}'
NOISE: Final = json.dumps(HOSTILE)
FAILURE: Final = f'{{"run": 5, "reason": "GateFailed", "overrides": {{{NOISE}: {NOISE}}}, "message": {NOISE}}}'
LIES: Final = {
    "11": MESSAGE % f'"succeeded": {10**3000}',
    "12": MESSAGE % '"succeeded": 1000000000',
    "13": MESSAGE % f'"bytes": {1 << 63}',
    "14": MESSAGE % '"failed": 40, "reasons": {"GateFailed": 40}',
    "15": MESSAGE % f'"failed": 1, "reasons": {{{NOISE}: 1}}, "failures": [{FAILURE}]',
}
LIAR_SEEDS: Final = range(10, 11 + len(LIES))
"""The first one tells no lie. Other sweeps have other seeds, since a run that one sweep renders exists for all."""
BLOCKED: Final[dict[str, tuple[dict[str, Any], Reason, str]]] = {
    "image": (
        {"initContainers": [{"name": "prepare", "image": "lab.invalid/none:1"}]},
        Reason.IMAGE_UNAVAILABLE,
        "The image of the render pod's container 'prepare' cannot be pulled: ",
    ),
    "claim": (
        {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "missing"}}]},
        Reason.UNSCHEDULABLE,
        'persistentvolumeclaim "missing" not found',
    ),
    "scheduler": (
        {"schedulerName": "night-shift"},
        Reason.UNSCHEDULABLE,
        "The scheduler 'night-shift' has said nothing about the render pod for a minute.",
    ),
}


@pytest.fixture(scope="module")
def tenant(cluster: Cluster, store: NodeStore) -> SweepNamespace:
    """A namespace with the sweeps of all tests, in which the service account `tenant` has the role `edit`."""
    created = SweepNamespace(cluster, store, f"tenant-{token_hex(3)}")
    created.create()
    created.kubectl("create", "serviceaccount", "tenant")
    created.kubectl("create", "rolebinding", "tenant", "--clusterrole=edit", f"--serviceaccount={created.name}:tenant")
    created.apply_recipe("spheres-sem", load_recipe())
    forge_job(created, "victim")
    apply_sweep(created, "victim", range(2), created.apply_trial_engine("render_held", HELD="0,1"))
    liar = created.apply_trial_engine("render_lying", LIES=json.dumps(LIES))
    apply_sweep(created, "liar", LIAR_SEEDS, liar, retriesPerRun=0, maxFailedRuns=len(LIES))
    for name, (spec, _, _) in BLOCKED.items():
        apply_sweep(created, name, range(20, 21), {"spec": spec})
    return created


def apply_sweep(namespace: SweepNamespace, name: str, seeds: range, template: dict[str, Any], **spec: Any) -> None:
    overrides = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({seeds.start},{seeds.stop})"]
    whole = {"overrides": overrides, "podTemplate": template, "parallelism": len(seeds), "batchSize": 1, **spec}
    namespace.apply_sweep(name, "spheres-sem", **whole)


def act(namespace: SweepNamespace, *arguments: str, document: dict[str, Any] | None = None) -> str:
    """Run kubectl as the tenant."""
    user = f"--as=system:serviceaccount:{namespace.name}:tenant"
    return namespace.kubectl(user, *arguments, stdin=json.dumps(document) if document else None)


def forge_job(namespace: SweepNamespace, sweep: str) -> None:
    """Create a Job with the label of a sweep, without a kind, as the tenant."""
    metadata = {"name": f"{sweep}-forged", "labels": {SWEEP_LABEL: sweep}}
    spec = {"suspend": True, "template": {"spec": build_pod_spec(namespace, "", 0)}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    act(namespace, "create", "--filename=-", document=job)


def build_pod_spec(namespace: SweepNamespace, message: str, code: int) -> dict[str, Any]:
    """Return a pod that writes a termination message and ends with an exit code."""
    program = f"import sys; open('/dev/termination-log', 'w').write({message!r}); sys.exit({code})"
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    image = namespace.cluster.images[0]
    container = {"name": "render", "image": image, "command": ["python", "-c", program], "securityContext": security}
    return {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}


def forge_pod(namespace: SweepNamespace, name: str, job: dict[str, Any], owner: dict[str, Any] | None) -> None:
    """Create a pod with labels and index of the Job's first pod, which says that its batch failed, as the tenant."""
    labels = {key: value for key, value in job["metadata"]["labels"].items() if key.startswith(SWEEP_LABEL[:5])}
    message = MESSAGE.replace("BATCH", "0") % '"failed": 1, "reasons": {"GateFailed": 1}'
    metadata = {"name": name, "labels": {**labels, "batch.kubernetes.io/job-name": job["metadata"]["name"]}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "annotations": {INDEX: "0"}, "ownerReferences": [owner] if owner else []},
        "spec": build_pod_spec(namespace, message, 64),
    }
    act(namespace, "create", "--filename=-", document=pod)


def test_a_pod_and_a_job_with_only_our_labels_stop_no_sweep(tenant: SweepNamespace) -> None:
    wait_until(lambda: len(tenant.list_running_pods("victim")) == 2, lambda: tenant.describe_sweep("victim"))
    (job,) = tenant.list_jobs("victim", "render")
    sweep = tenant.cluster.get_object("synthsweep", "victim", tenant.name)
    owner = {
        "apiVersion": sweep["apiVersion"],
        "kind": sweep["kind"],
        "name": "victim",
        "uid": sweep["metadata"]["uid"],
    }
    forge_pod(tenant, "nobodys", job, None)
    forge_pod(tenant, "the-sweeps", job, {**owner, "controller": True})
    for name in ("nobodys", "the-sweeps"):
        tenant.kubectl("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Failed", "--timeout=300s")

    with pytest.raises(CommandError, match="forbidden"):
        act(tenant, "patch", "pod", "nobodys", "--subresource=status", "--type=merge", "-p", '{"status": {}}')
    tenant.release_pods("victim")
    status = tenant.wait_for_end("victim")
    assert (status.phase, status.runs.existing, status.runs.failed) == (Phase.COMPLETE, 2, 0)
    tenant.kubectl("get", "job/victim-forged", "pod/nobodys")


def test_forged_messages_fail_no_more_than_their_own_runs(tenant: SweepNamespace) -> None:
    status = tenant.wait_for_end("liar")

    assert (status.phase, status.runs.existing, status.runs.failed) == (Phase.COMPLETE, 1, len(LIES))
    assert [(entry.reason, entry.runs) for entry in status.failure_reasons] == [("WorkerDied", len(LIES))]
    events = tenant.cluster.get_object("events", namespace=tenant.name)["items"]
    messages = [event["message"] for event in events if event["involvedObject"]["kind"] == "SynthSweep"]
    assert [message for message in messages if not message.isprintable()] == []


@pytest.mark.parametrize("name", BLOCKED)
def test_whatever_keeps_a_pod_from_starting_is_said(tenant: SweepNamespace, name: str) -> None:
    _, reason, sentence = BLOCKED[name]

    status = tenant.wait_for_status(name, lambda status: find_ready_reason(status) is reason, "nothing was said")

    assert sentence in find_ready_message(status)


def test_every_line_of_the_operators_log_is_a_json_object(tenant: SweepNamespace) -> None:
    text = tenant.cluster.kubectl("-n", OPERATOR_NAMESPACE, "logs", "deployment/synth-operator")

    entries = [json.loads(line) for line in text.splitlines()]
    assert {type(entry) for entry in entries} == {dict}
    assert [entry for entry in entries if "exc_info" in entry and entry.get("namespace") == tenant.name] == []
