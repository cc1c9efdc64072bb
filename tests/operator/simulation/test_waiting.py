"""Whatever a sweep waits for is named in one sentence, costs few writes, and heals by itself."""

from collections.abc import Callable
from typing import Any

import pytest
from simulated_cluster.world import NAME, World

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import ApiError, JsonObject, Resource

HOUR = 3600
Change = Callable[[World], None]


def block(reason: str, message: str) -> Change:
    return lambda world: setattr(world.nodes, "block", {"waiting": {"reason": reason, "message": message}})


def unblock(world: World) -> None:
    world.nodes.block = {}


def no_node(world: World) -> None:
    world.nodes.unschedulable = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


def a_node(world: World) -> None:
    world.nodes.unschedulable = ""


def store_down(world: World) -> None:
    world.store.up = False


def store_up(world: World) -> None:
    world.store.up = True


def quota_of_jobs(world: World) -> None:
    text = 'jobs.batch "x" is forbidden: exceeded quota: lab, requested: count/jobs.batch=1, used: 2, limited: 2'
    world.api.refuse = lambda resource, _: ApiError(403, "Forbidden", text) if resource is Resource.JOBS else None


def webhook(world: World) -> None:
    text = "admission webhook says no"
    world.api.refuse = lambda resource, _: ApiError(403, "Forbidden", text) if resource is Resource.JOBS else None


def quota_of_pods(world: World) -> None:
    world.nodes.quota = "exceeded quota: lab, requested: pods=1, used: 0, limited: 0"


def no_refusals(world: World) -> None:
    world.api.refuse = lambda _resource, _body: None
    world.nodes.quota = ""


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
    world = World()
    arrange(world)

    world.seconds(10)

    (plan, *_) = (write.split()[-1] for write in world.api.writes if write.startswith("create jobs"))
    sentence = sentence.replace("{plan}", plan)
    assert world.status.phase is Phase.WAITING
    assert world.ready == sentence
    assert world.status.waiting_since is not None
    assert not world.jobs(JobKind.RENDER)
    heal(world)
    world.until_ended(seconds=2 * HOUR)
    assert world.status.phase is Phase.COMPLETE
    assert world.status.waiting_since is None
    assert sum(event == sentence for event in world.events) == 1


@pytest.mark.parametrize("cause", CAUSES)
def test_waiting_costs_few_writes_and_one_event(cause: str) -> None:
    arrange, _, _ = CAUSES[cause]
    world = World()
    arrange(world)
    world.seconds(HOUR)
    before = len(world.api.writes)

    world.seconds(5 * HOUR)

    assert len(world.api.writes) - before <= 5 * 20
    assert len(world.events) == 2


@pytest.mark.parametrize("cause", ["no node", "image", "quota of pods"])
def test_render_pods_that_cannot_start_are_reported_and_recover(cause: str) -> None:
    arrange, heal, sentence = CAUSES[cause]
    world = World()
    world.until(lambda world: bool(world.jobs(JobKind.RENDER)))

    arrange(world)
    world.seconds(10)

    assert world.ready == sentence.replace("plan pod", "render pod")
    heal(world)
    world.until_ended()
    assert world.status.phase is Phase.COMPLETE


def test_the_delay_between_tries_doubles_up_to_ten_minutes() -> None:
    world = World()
    store_down(world)
    world.seconds(4 * HOUR)

    made = [write for write in world.api.writes if write.startswith("create jobs")]

    # 5, 10, … 640 s are 8 tries in a quarter of an hour; then six an hour, a few seconds late each.
    assert 25 <= len(made) <= 33


def test_a_store_failure_is_reported_until_a_batch_progresses() -> None:
    world = World(runs=24, retriesPerRun=10)
    world.until(lambda world: world.status.runs.succeeded >= 4)

    store_down(world)
    world.until_phase(Phase.WAITING)
    assert world.ready == "StoreUnreachable: The store at store:9000 does not answer."
    store_up(world)
    world.until_ended()

    assert world.status.phase is Phase.COMPLETE
    assert world.store.committed == world.keys()


def test_a_sweep_waits_for_its_missing_recipe() -> None:
    world = World()
    world.api.remove(Resource.RECIPES, "beads")

    world.seconds(5)
    assert world.ready == "RecipeNotFound: There is no SynthRecipe 'beads'; apply one."
    assert conditions(world)["Reconciling"] == "True"
    assert not world.api.all(Resource.JOBS)
    world.apply_recipe(1)
    world.until_ended()

    assert world.status.phase is Phase.COMPLETE


@pytest.mark.parametrize("seconds", [0, 4, 9])
def test_an_invalid_recipe_stops_the_sweep_until_it_is_repaired(seconds: int) -> None:
    world = World(runs=24)
    world.seconds(seconds)
    attempt = world.status.attempt

    world.apply_recipe(None)
    world.seconds(5)
    assert world.ready == "RecipeInvalid: The recipe 'beads' is invalid: version: is missing."
    assert conditions(world)["Stalled"] == "True"
    assert all(job["status"].get("conditions") for job in world.api.all(Resource.JOBS)), "a Job is still at work"
    world.apply_recipe(1)
    world.until_ended()

    assert world.store.committed == world.keys()
    assert max(world.store.rendered.values()) == 1
    assert attempt is None or world.status.attempt is None or world.status.attempt.hash == attempt.hash


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"image": "elsewhere/x:1"},
            "NotAllowed: spec.image: the operator does not allow 'elsewhere/x:1'; "
            "allowed are lab/synth-renderer:1, lab/….",
        ),
        (
            {"output": {"endpoint": "s", "bucket": "abc", "serviceAccountName": "root"}},
            "NotAllowed: spec.output.serviceAccountName: the operator does not allow 'root'; allowed are: none.",
        ),
        (
            {"podTemplate": {"spec": {"hostNetwork": True}}},
            "PodTemplateInvalid: The pod template is invalid: spec.podTemplate.spec.hostNetwork: "
            "the operator's configuration does not allow access to the host.",
        ),
    ],
)
def test_a_problem_that_needs_an_edit_stalls_the_sweep(spec: dict[str, Any], sentence: str) -> None:
    world = World(**spec)

    world.seconds(5)

    assert world.ready == sentence
    assert conditions(world)["Stalled"] == "True"
    assert not world.api.all(Resource.JOBS)


def test_an_edit_ends_the_stall() -> None:
    world = World(image="elsewhere/x:1")
    world.seconds(5)

    world.edit(image="lab/x:1")
    world.until_ended()

    assert world.status.phase is Phase.COMPLETE


def test_a_name_of_another_owner_is_reported_until_it_is_free() -> None:
    world = World()
    world.until(lambda world: bool(world.jobs(JobKind.PLAN)))
    (name,) = (job["metadata"]["name"] for job in world.jobs(JobKind.PLAN))

    world = World()
    world.api.put(Resource.JOBS, stranger(name))
    world.seconds(10)
    assert world.ready == f"NameTaken: The name '{name}' belongs to an object of another owner; delete that object."
    world.api.remove(Resource.JOBS, name)
    world.until_ended()

    assert world.status.phase is Phase.COMPLETE


def test_another_configured_image_replaces_pods_that_never_started() -> None:
    world = World()
    block("ErrImagePull", "lab/synth-operator:1: not found")(world)
    world.seconds(10)

    world.rules = world.rules.model_copy(update={"operator_image": "lab/synth-operator:2"})
    world.restart()
    world.seconds(3)
    unblock(world)
    world.until_ended()

    images = {write for write in world.api.writes if write.startswith("delete jobs")}
    assert world.status.phase is Phase.COMPLETE
    assert len(images) >= 1


def test_pods_that_crash_without_a_message_are_reported() -> None:
    world = World(runs=4, retriesPerRun=1)
    world.until(lambda world: bool(world.jobs(JobKind.RENDER)))
    crash = world.nodes.end

    def crash_all() -> None:
        for pod in world.api.all(Resource.PODS):
            if pod["status"]["phase"] == "Running" and "-r0-" in pod["metadata"]["name"]:
                crash(pod, 127)

    for _ in range(6):
        crash_all()
        world.second()

    assert "WorkerFailed: The render pod ended with exit code 127; see its log." in world.events


def test_a_succeeded_pod_after_crashes_is_no_failure() -> None:
    world = World(runs=100, batchSize=50, retriesPerRun=1)
    for codes in ((127, 127), (127, ExitCode.OK)):
        world.until(lambda world: len(rendering(world)) == 2)
        world.nodes.count = ExitCode.OK not in codes
        for pod, code in zip(rendering(world), codes, strict=True):
            world.nodes.end(pod, code)
        world.second()

    assert not [event for event in world.events if event.startswith("WorkerFailed")]


def rendering(world: World) -> list[JsonObject]:
    """The render pods that run."""
    pods = (pod for pod in world.api.all(Resource.PODS) if "-r0-" in pod["metadata"]["name"])
    return [pod for pod in pods if pod["status"]["phase"] == "Running"]


def conditions(world: World) -> dict[str, str]:
    return {condition.type.value: condition.status for condition in world.status.conditions}


def stranger(name: str) -> JsonObject:
    labels = {"synth-operator.io/job": "plan"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"suspend": True}, "status": {}, "owner": NAME}
