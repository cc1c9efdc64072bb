"""Every cause of waiting: one clear message, no needless work, and the sweep continues once the cause is gone.

All causes are put in the way at once, each in a namespace of its own, and are removed at once, so that waiting costs
the suite little. Render pods use an engine that does nothing.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.commands import CommandError
from harness.node_store import BUCKET
from harness.operator_chart import install_operator
from harness.slot import CONTAINERD, NODE
from harness.sweep_namespace import SweepNamespace
from spheres import NUMBER, load_recipe

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import MAX_NAME, Phase
from synth_operator.decide.outcome import find_ready_message, find_ready_reason
from synth_operator.kube.pod_object import PodObject
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from harness.cluster import Cluster
    from harness.node_store import NodeStore

    from synth_api.resources.synth_sweep import SweepStatus

NAME: Final = "waiting"
SMALL: Final = f"{NUMBER}=2"
MISSPELT: Final = "blueprints.particles.Bead.nubmer=2"
SLOW_PORT: Final = 9001
LATER_BUCKET: Final = "later"
RARE_GPU: Final = "example.com/rare-gpu"
CAPACITY: Final = f"/status/capacity/{RARE_GPU.replace('/', '~1')}"
SECONDS: Final = 10
"""Longest delay after Kubernetes knows the cause."""

Spec = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """A cause that keeps a sweep waiting."""

    create: Callable[[SweepNamespace], Spec]
    """Creates the cause and returns additions to the sweep's spec."""
    remove: Callable[[SweepNamespace], object]
    reason: Reason
    message: str
    """Part of the message; `{host}` is the store's, `{image}` the renderer's."""
    renders: bool = False
    """True if only a render pod meets the cause."""


def invalid_recipe(namespace: SweepNamespace) -> Spec:
    broken = load_recipe()
    broken["initial_runtime_state"]["seed"] = -1
    namespace.apply_recipe("spheres-sem", broken)
    return {}


def missing_recipe(namespace: SweepNamespace) -> Spec:
    namespace.kubectl("delete", "synthrecipe", "spheres-sem")
    return {}


def unknown_path(namespace: SweepNamespace) -> Spec:
    return {"overrides": [MISSPELT]}


def missing_secret(namespace: SweepNamespace) -> Spec:
    namespace.kubectl("delete", "secret", "dataset-store")
    return {}


def wrong_credentials(namespace: SweepNamespace) -> Spec:
    namespace.apply_secret(secret_key="another-secret-key")
    return {}


def binary_secret(namespace: SweepNamespace) -> Spec:
    key = {"AWS_ACCESS_KEY_ID": base64.b64encode(b"key-\xff").decode()}
    namespace.kubectl("patch", "secret", "dataset-store", "--type=merge", "-p", json.dumps({"data": key}))
    return {}


def missing_bucket(namespace: SweepNamespace) -> Spec:
    return {"output": {**namespace.output, "bucket": LATER_BUCKET}}


def unreachable_endpoint(namespace: SweepNamespace) -> Spec:
    """Forward a port to the store but drop its packets, so that no connection is refused."""
    sandbox, host = namespace.cluster.sandbox, namespace.cluster.node_address
    sandbox.run("iptables", "--insert", *build_packet_rule())
    forward = ("socat", f"TCP-LISTEN:{SLOW_PORT},bind={host},fork,reuseaddr", f"TCP:{namespace.store.endpoint}")
    sandbox.start(forward, sandbox.slot.log("forward"))
    return {"output": {**namespace.output, "endpoint": f"{host}:{SLOW_PORT}"}}


def build_packet_rule() -> tuple[str, ...]:
    return ("INPUT", "--protocol", "tcp", "--dport", str(SLOW_PORT), "--jump", "DROP")


def missing_image(namespace: SweepNamespace) -> Spec:
    return {"image": f"{namespace.cluster.images[1]}-later"}


def tag_image(namespace: SweepNamespace) -> None:
    """Tag the image on the node, which has no registry."""
    image = namespace.cluster.images[1]
    namespace.cluster.sandbox.run(
        "ctr", f"--address={CONTAINERD}", "-n=k8s.io", "images", "tag", image, f"{image}-later"
    )


def misspelt_image(namespace: SweepNamespace) -> Spec:
    return {"image": f"{namespace.cluster.images[1]}-misspelt"}


def missing_gpu(namespace: SweepNamespace) -> Spec:
    return {"gpu": {"count": 1, "resourceName": RARE_GPU}, "device": "cpu"}


def offer_gpu(namespace: SweepNamespace) -> None:
    operation = json.dumps([{"op": "add", "path": CAPACITY, "value": "1"}])
    namespace.cluster.kubectl("patch", "node", NODE, "--subresource=status", "--type=json", "-p", operation)


def create_quota(namespace: SweepNamespace) -> Spec:
    namespace.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"pods": "0"}}}
    )
    return {}


def remove_quota(namespace: SweepNamespace) -> None:
    namespace.kubectl("delete", "resourcequota", "small")


def repair_recipe(namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())


CAUSES: Final = {
    "invalid-recipe": Cause(
        invalid_recipe,
        repair_recipe,
        Reason.RECIPE_INVALID,
        "The recipe 'spheres-sem' is invalid: initial_runtime_state.seed",
    ),
    "missing-recipe": Cause(
        missing_recipe,
        repair_recipe,
        Reason.RECIPE_NOT_FOUND,
        "There is no SynthRecipe 'spheres-sem' in this namespace; apply one.",
    ),
    "unknown-path": Cause(
        unknown_path,
        lambda namespace: namespace.patch_sweep(NAME, overrides=[SMALL]),
        Reason.SWEEP_INVALID,
        "The sweep is invalid: blueprints.particles.Bead.nubmer",
    ),
    "missing-secret": Cause(
        missing_secret,
        lambda namespace: namespace.apply_secret(),
        Reason.SECRET_NOT_FOUND,
        'The store\'s credentials are missing: secret "dataset-store" not found; create the Secret.',
    ),
    "wrong-credentials": Cause(
        wrong_credentials,
        lambda namespace: namespace.apply_secret(),
        Reason.ACCESS_DENIED,
        "The store at {host}:9000 denies access to bucket 'datasets' (SignatureDoesNotMatch): "
        "the secret key does not fit the access key; correct AWS_SECRET_ACCESS_KEY",
    ),
    "binary-secret": Cause(
        binary_secret,
        lambda namespace: namespace.apply_secret(),
        Reason.ACCESS_DENIED,
        "AWS_SESSION_TOKEN in the Secret 'dataset-store' is not UTF-8; make the Secret again with kubectl",
    ),
    "missing-bucket": Cause(
        missing_bucket,
        lambda namespace: namespace.store.client.make_bucket(LATER_BUCKET),
        Reason.BUCKET_NOT_FOUND,
        "The store at {host}:9000 has no bucket 'later'; create it or correct output.bucket",
    ),
    "unreachable-endpoint": Cause(
        unreachable_endpoint,
        lambda namespace: namespace.cluster.sandbox.run("iptables", "--delete", *build_packet_rule()),
        Reason.STORE_UNREACHABLE,
        "The store at {host}:9001 cannot be used; check output.endpoint, output.insecure and output.caSecretRef, "
        "and whether the store runs",
    ),
    "missing-image": Cause(
        missing_image,
        tag_image,
        Reason.IMAGE_UNAVAILABLE,
        'The image of the render pod cannot be pulled: failed to pull and unpack image "{image}-later"',
        renders=True,
    ),
    "misspelt-image": Cause(
        misspelt_image,
        lambda namespace: namespace.patch_sweep(NAME, image=namespace.cluster.images[1]),
        Reason.IMAGE_UNAVAILABLE,
        'The image of the render pod cannot be pulled: failed to pull and unpack image "{image}-misspelt"',
        renders=True,
    ),
    "missing-gpu": Cause(
        missing_gpu,
        offer_gpu,
        Reason.UNSCHEDULABLE,
        f"No node can take the render pod: 0/1 nodes are available: 1 Insufficient {RARE_GPU}",
        renders=True,
    ),
    "exceeded-quota": Cause(
        create_quota,
        remove_quota,
        Reason.QUOTA_EXCEEDED,
        "The namespace's quota is exceeded: small, requested: pods=1, used: pods=0, limited: pods=0.",
    ),
}
each_cause = pytest.mark.parametrize("cause", CAUSES)
Namespaces = dict[str, SweepNamespace]


@pytest.fixture(scope="module")
def namespaces(cluster: Cluster, store: NodeStore) -> Namespaces:
    """A namespace with a waiting sweep for each cause."""
    made = {name: SweepNamespace(cluster, store, f"{name}-{token_hex(3)}") for name in CAUSES}
    for name, namespace in made.items():
        namespace.create()
        namespace.apply_recipe("spheres-sem", load_recipe())
        spec = {
            "overrides": [SMALL],
            "podTemplate": namespace.apply_trial_engine("render_nothing"),
            **CAUSES[name].create(namespace),
        }
        namespace.apply_sweep(NAME, "spheres-sem", **spec)
    return made


@pytest.fixture(scope="module")
def freed(namespaces: Namespaces) -> Namespaces:
    """The same namespaces after all causes are removed."""
    for name, namespace in namespaces.items():
        CAUSES[name].remove(namespace)
    return namespaces


@each_cause
def test_one_clear_message_names_the_cause(namespaces: Namespaces, cause: str) -> None:
    namespace, wanted = namespaces[cause], CAUSES[cause]
    expected = wanted.message.format(host=namespace.cluster.node_address, image=namespace.cluster.images[1])

    status = namespace.wait_for_status(
        NAME, lambda status: find_ready_reason(status) is wanted.reason, f"no {wanted.reason}"
    )

    message = find_ready_message(status)
    assert expected in message
    assert status.phase is Phase.WAITING
    assert measure_delay(namespace, status) <= SECONDS
    assert message in namespace.kubectl("get", "synthsweep", NAME, "--output=wide")
    described = namespace.kubectl("describe", "synthsweep", NAME)
    assert described.count(message) == 3, "two conditions and one event"
    assert bool(namespace.list_jobs(NAME, "render")) == wanted.renders


@each_cause
def test_a_sweep_continues_when_the_cause_is_gone(freed: Namespaces, cause: str) -> None:
    status = freed[cause].wait_for_end(NAME)

    assert (status.phase, status.runs.succeeded) == (Phase.COMPLETE, 1)


def measure_delay(namespace: SweepNamespace, status: SweepStatus) -> float:
    """Return the seconds from Kubernetes' first complaint, or from the creation of the sweep, to its waiting."""
    assert status.waiting_since is not None
    created = parse_timestamp(
        namespace.cluster.get_object("synthsweep", NAME, namespace.name)["metadata"]["creationTimestamp"]
    )
    return (status.waiting_since - min(list_known_times(namespace), default=created)).total_seconds()


def list_known_times(namespace: SweepNamespace) -> Iterator[datetime]:
    """Yield the times of warnings about Jobs and pods, and of the ends of pods."""
    for event in namespace.cluster.get_object("events", namespace=namespace.name)["items"]:
        if event["type"] == "Warning" and event["involvedObject"]["kind"] in ("Job", "Pod"):
            yield parse_timestamp(event["firstTimestamp"] or event["eventTime"])
    yield from (pod.finish_time for pod in map(PodObject.from_json, namespace.list_pods(NAME)) if pod.finish_time)


def test_a_new_image_of_the_operators_configuration_is_used(cluster: Cluster, namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    install_operator(cluster, "renderer.image.tag=absent")
    try:
        namespace.apply_sweep(
            NAME, "spheres-sem", overrides=[SMALL], podTemplate=namespace.apply_trial_engine("render_nothing")
        )
        namespace.wait_for_status(
            NAME, lambda status: find_ready_reason(status) is Reason.IMAGE_UNAVAILABLE, "the image is there"
        )
    finally:
        install_operator(cluster)

    assert namespace.wait_for_end(NAME).phase is Phase.COMPLETE


def test_a_name_of_40_characters_is_accepted_and_one_of_41_refused(namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    small: Spec = {
        "overrides": [SMALL],
        "podTemplate": namespace.apply_trial_engine("render_nothing"),
        "deletionPolicy": "Delete",
    }
    longest = "n" * MAX_NAME

    with pytest.raises(CommandError, match="the name of a sweep is a DNS label of at most 40 characters"):
        namespace.apply_sweep(f"{longest}n", "spheres-sem", **small)
    namespace.apply_sweep(longest, "spheres-sem", **small)

    assert namespace.wait_for_end(longest).phase is Phase.COMPLETE
    namespace.kubectl("delete", "synthsweep", longest, "--timeout=300s")
    assert not list(namespace.store.client.list_objects(BUCKET, f"{namespace.name}/sweeps/", recursive=True))
