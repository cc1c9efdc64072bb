"""Whatever a sweep waits for is named in one sentence, costs few writes, and heals by itself."""

from collections.abc import Callable
from typing import Any

import pytest
from simulated_cluster.simulation import NAME, RULES, SimulatedCluster

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import ApiError, JsonObject, Resource

HOUR = 3600
Change = Callable[[SimulatedCluster], None]


def block(reason: str, message: str) -> Change:
    return lambda cluster: setattr(cluster.nodes, "waiting_state", {"waiting": {"reason": reason, "message": message}})


def unblock(cluster: SimulatedCluster) -> None:
    cluster.nodes.waiting_state = {}


def no_node(cluster: SimulatedCluster) -> None:
    cluster.nodes.unschedulable = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


def a_node(cluster: SimulatedCluster) -> None:
    cluster.nodes.unschedulable = ""


def store_down(cluster: SimulatedCluster) -> None:
    cluster.store.up = False


def store_up(cluster: SimulatedCluster) -> None:
    cluster.store.up = True


def quota_of_jobs(cluster: SimulatedCluster) -> None:
    text = 'jobs.batch "x" is forbidden: exceeded quota: lab, requested: count/jobs.batch=1, used: 2, limited: 2'
    cluster.api.refuse = lambda resource, _: ApiError(403, "Forbidden", text) if resource is Resource.JOBS else None


def webhook(cluster: SimulatedCluster) -> None:
    text = "admission webhook says no"
    cluster.api.refuse = lambda resource, _: ApiError(403, "Forbidden", text) if resource is Resource.JOBS else None


def quota_of_pods(cluster: SimulatedCluster) -> None:
    cluster.nodes.quota = "exceeded quota: lab, requested: pods=1, used: 0, limited: 0"


def pod_security(cluster: SimulatedCluster) -> None:
    cluster.nodes.quota = (
        'violates PodSecurity "restricted:latest": restricted volume types (volume "kernels" uses restricted '
        'volume type "hostPath")'
    )


def no_refusals(cluster: SimulatedCluster) -> None:
    cluster.api.refuse = lambda _resource, _body: None
    cluster.nodes.quota = ""


CAUSES: dict[str, tuple[Change, Change, str]] = {
    "missing Secret": (
        block("CreateContainerConfigError", 'secret "store" not found'),
        unblock,
        'SecretNotFound: The store\'s credentials are missing: secret "store" not found; create the Secret.',
    ),
    "image": (
        block("ImagePullBackOff", 'Back-off pulling image "lab/x:1": ErrImagePull: lab/x:1: not found'),
        unblock,
        "ImageUnavailable: The image of the plan pod cannot be pulled: lab/x:1: not found.",
    ),
    "no node": (
        no_node,
        a_node,
        "Unschedulable: No node can take the plan pod: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    ),
    "store": (store_down, store_up, "StoreUnreachable: The store at store:9000 does not answer."),
    "quota of Jobs": (
        quota_of_jobs,
        no_refusals,
        "QuotaExceeded: The namespace's quota is exceeded: lab, requested: count/jobs.batch=1, used: 2, limited: 2.",
    ),
    "quota of pods": (
        quota_of_pods,
        no_refusals,
        "QuotaExceeded: The namespace's quota is exceeded: lab, requested: pods=1, used: 0, limited: 0.",
    ),
    "hostPath": (
        pod_security,
        no_refusals,
        "PodRefused: Pod Security of this namespace forbids the kernel cache on nodes, a hostPath volume: name a claim "
        "instead, or list the namespaces that allow it; pods of others compile for themselves "
        "(sweeps.gpu.kernelCache of the chart).",
    ),
    "webhook": (
        webhook,
        no_refusals,
        "PodRefused: The API server refuses '{plan}': admission webhook says no.",
    ),
    "container": (
        block("CreateContainerError", "no such runtime"),
        unblock,
        "PodRefused: The plan pod does not start: no such runtime.",
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_problem_is_reported_within_ten_seconds_and_the_sweep_recovers(cause: str) -> None:
    arrange, heal, sentence = CAUSES[cause]
    cluster = SimulatedCluster()
    arrange(cluster)

    cluster.run_for(10)

    (plan, *_) = (write.split()[-1] for write in cluster.api.writes if write.startswith("create jobs"))
    sentence = sentence.replace("{plan}", plan)
    assert cluster.status.phase is Phase.WAITING
    assert cluster.ready == sentence
    assert cluster.status.waiting_since is not None
    assert not cluster.jobs(JobKind.RENDER)
    heal(cluster)
    cluster.run_until_finished(seconds=2 * HOUR)
    assert cluster.status.phase is Phase.COMPLETE
    assert cluster.status.waiting_since is None
    assert sum(event == sentence for event in cluster.events) == 1


@pytest.mark.parametrize("cause", CAUSES)
def test_waiting_costs_few_writes_and_one_event(cause: str) -> None:
    arrange, _, _ = CAUSES[cause]
    cluster = SimulatedCluster()
    arrange(cluster)
    cluster.run_for(HOUR)
    before = len(cluster.api.writes)

    cluster.run_for(5 * HOUR)

    assert len(cluster.api.writes) - before <= 5 * 20
    assert len(cluster.events) == 2


@pytest.mark.parametrize("cause", ["no node", "image", "quota of pods"])
def test_render_pods_that_cannot_start_are_reported_and_recover(cause: str) -> None:
    arrange, heal, sentence = CAUSES[cause]
    cluster = SimulatedCluster()
    cluster.run_until(lambda cluster: bool(cluster.jobs(JobKind.RENDER)))

    arrange(cluster)
    cluster.run_for(10)

    assert cluster.ready == sentence.replace("plan pod", "render pod")
    heal(cluster)
    cluster.run_until_finished()
    assert cluster.status.phase is Phase.COMPLETE


def test_the_delay_between_tries_doubles_up_to_ten_minutes() -> None:
    cluster = SimulatedCluster()
    store_down(cluster)
    cluster.run_for(4 * HOUR)

    made = [write for write in cluster.api.writes if write.startswith("create jobs")]

    # 5, 10, … 640 s are 8 tries in a quarter of an hour; then six an hour, a few seconds late each.
    assert 25 <= len(made) <= 33


def test_a_store_failure_is_reported_until_a_batch_progresses() -> None:
    cluster = SimulatedCluster(runs=24, retriesPerRun=10)
    cluster.run_until(lambda cluster: cluster.status.runs.succeeded >= 4)

    store_down(cluster)
    cluster.run_until_phase(Phase.WAITING)
    assert cluster.ready == "StoreUnreachable: The store at store:9000 does not answer."
    store_up(cluster)
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert cluster.store.committed == cluster.list_run_keys()


def test_a_sweep_waits_for_its_missing_recipe() -> None:
    cluster = SimulatedCluster()
    cluster.api.remove(Resource.RECIPES, "beads")

    cluster.run_for(5)
    assert cluster.ready == "RecipeNotFound: There is no SynthRecipe 'beads'; apply one."
    assert conditions(cluster)["Reconciling"] == "True"
    assert not cluster.api.list_all(Resource.JOBS)
    cluster.apply_recipe(1)
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE


@pytest.mark.parametrize("seconds", [0, 4, 9])
def test_an_invalid_recipe_stops_the_sweep_until_it_is_repaired(seconds: int) -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_for(seconds)
    attempt = cluster.status.attempt

    cluster.apply_recipe(None)
    cluster.run_for(5)
    assert cluster.ready == "RecipeInvalid: The recipe 'beads' is invalid: version: is missing."
    assert conditions(cluster)["Stalled"] == "True"
    assert all(job["status"].get("conditions") for job in cluster.api.list_all(Resource.JOBS)), "a Job is still at work"
    cluster.apply_recipe(1)
    cluster.run_until_finished()

    assert cluster.store.committed == cluster.list_run_keys()
    assert max(cluster.store.rendered.values()) == 1
    assert attempt is None or cluster.status.attempt is None or cluster.status.attempt.hash == attempt.hash


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"image": "elsewhere/x:1"},
            "NotAllowed: spec.image: the operator does not allow 'elsewhere/x:1'; allowed are: "
            "lab/synth-renderer:1, lab/other, lab/x:1, lab/a, lab/b (sweeps.allowedImages of the chart).",
        ),
        (
            {"image": "lab/"},
            "NotAllowed: spec.image: 'lab/' is no image; write REGISTRY/PATH, then :TAG or @sha256:DIGEST if wanted.",
        ),
        (
            {"output": {"endpoint": "kubernetes.default.svc:443", "bucket": "abc"}},
            "NotAllowed: spec.output.endpoint: 'kubernetes.default.svc:443' is an address of the pod itself, of its "
            "link or of the API server; name a store.",
        ),
        (
            {"output": {"endpoint": "s", "bucket": "abc", "serviceAccountName": "root"}},
            "NotAllowed: spec.output.serviceAccountName: the operator does not allow 'root'; allowed are: none "
            "(sweeps.allowedServiceAccounts of the chart).",
        ),
        (
            {"priorityClassName": "high"},
            "NotAllowed: spec.priorityClassName: the operator does not allow 'high'; allowed are: none "
            "(sweeps.priorityClasses of the chart).",
        ),
        (
            {"gpu": {"tolerations": [{"key": "lab", "value": "a"}]}},
            "NotAllowed: spec.gpu.tolerations[0]: the operator does not allow to tolerate lab=a; allowed are: "
            "nvidia.com/gpu:NoSchedule (sweeps.overlay.tolerations of the chart).",
        ),
        (
            {"podTemplate": {"spec": {"subdomain": "x"}}},
            "PodTemplateInvalid: The pod template is invalid: spec.podTemplate.spec.subdomain: 'x' is not allowed; "
            "here an overlay may set only affinity, containers, imagePullSecrets, nodeSelector, priorityClassName, "
            "runtimeClassName, tolerations, topologySpreadConstraints, volumes; "
            "sweeps.overlay.trusted of the chart would allow it.",
        ),
    ],
)
def test_a_problem_that_needs_an_edit_stalls_the_sweep(spec: dict[str, Any], sentence: str) -> None:
    cluster = SimulatedCluster(**spec)

    cluster.run_for(5)

    assert cluster.ready == sentence
    assert conditions(cluster)["Stalled"] == "True"
    assert not cluster.api.list_all(Resource.JOBS)


def test_only_listed_endpoints_are_allowed() -> None:
    rules = RULES.model_copy(update={"allowed_endpoints": ("minio.store:9000", "*.example.org")})
    listed = SimulatedCluster(rules=rules, output={"endpoint": "s3.example.org", "bucket": "abc"})
    listed.run_until_finished()

    other = SimulatedCluster(rules=rules, output={"endpoint": "minio.store:9001", "bucket": "abc"})
    other.run_for(5)
    assert other.ready == (
        "NotAllowed: spec.output.endpoint: the operator does not allow 'minio.store:9001'; allowed are: "
        "minio.store:9000, *.example.org (sweeps.allowedEndpoints of the chart)."
    )


def test_an_edit_ends_the_stall() -> None:
    cluster = SimulatedCluster(image="elsewhere/x:1")
    cluster.run_for(5)

    cluster.edit(image="lab/x:1")
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE


def test_a_name_of_another_owner_is_reported_until_it_is_free() -> None:
    cluster = SimulatedCluster()
    cluster.run_until(lambda cluster: bool(cluster.jobs(JobKind.PLAN)))
    (name,) = (job["metadata"]["name"] for job in cluster.jobs(JobKind.PLAN))

    cluster = SimulatedCluster()
    cluster.api.add(Resource.JOBS, stranger(name))
    cluster.run_for(10)
    assert cluster.ready == f"NameTaken: The name '{name}' belongs to an object of another owner; delete that object."
    cluster.api.remove(Resource.JOBS, name)
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE


def test_another_configured_image_replaces_pods_that_never_started() -> None:
    cluster = SimulatedCluster()
    block("ErrImagePull", "lab/synth-operator:1: not found")(cluster)
    cluster.run_for(10)

    cluster.rules = cluster.rules.model_copy(update={"operator_image": "lab/synth-operator:2"})
    cluster.restart()
    cluster.run_for(3)
    unblock(cluster)
    cluster.run_until_finished()

    images = {write for write in cluster.api.writes if write.startswith("delete jobs")}
    assert cluster.status.phase is Phase.COMPLETE
    assert len(images) >= 1


def test_pods_that_crash_without_a_message_are_reported() -> None:
    cluster = SimulatedCluster(runs=4, retriesPerRun=1)
    cluster.run_until(lambda cluster: bool(cluster.jobs(JobKind.RENDER)))
    crash = cluster.nodes.end_pod

    def crash_all() -> None:
        for pod in cluster.api.list_all(Resource.PODS):
            if pod["status"]["phase"] == "Running" and "-r0-" in pod["metadata"]["name"]:
                crash(pod, 127)

    for _ in range(6):
        crash_all()
        cluster.step()

    assert "WorkerFailed: The render pod ended with exit code 127; see its log." in cluster.events


def test_a_succeeded_pod_after_crashes_is_no_failure() -> None:
    cluster = SimulatedCluster(runs=100, batchSize=50, retriesPerRun=1)
    for codes in ((127, 127), (127, ExitCode.OK)):
        cluster.run_until(lambda cluster: len(rendering(cluster)) == 2)
        cluster.nodes.count_pods = ExitCode.OK not in codes
        for pod, code in zip(rendering(cluster), codes, strict=True):
            cluster.nodes.end_pod(pod, code)
        cluster.step()

    assert not [event for event in cluster.events if event.startswith("WorkerFailed")]


def rendering(cluster: SimulatedCluster) -> list[JsonObject]:
    """The render pods that run."""
    pods = (pod for pod in cluster.api.list_all(Resource.PODS) if "-r0-" in pod["metadata"]["name"])
    return [pod for pod in pods if pod["status"]["phase"] == "Running"]


def conditions(cluster: SimulatedCluster) -> dict[str, str]:
    return {condition.type.value: condition.status for condition in cluster.status.conditions}


def stranger(name: str) -> JsonObject:
    labels = {"synth-operator.io/job": "plan"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"suspend": True}, "status": {}, "owner": NAME}
