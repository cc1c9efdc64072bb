"""Whatever a sweep waits for: one clear message, no work that a check could have refused, and on it goes by itself.

All causes are put in the way at once, each in a namespace of its own, and are removed at once, so that waiting costs
the suite little. Render pods use an engine that does nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.commands import CommandError
from harness.lab import BUCKET, Lab, install_operator
from harness.place import CONTAINERD, NODE
from spheres import NUMBER, recipe

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import MAX_NAME, Phase
from synth_operator.decide.outcome import ready_message, ready_reason
from synth_operator.kube.pod_object import PodObject
from synth_operator.kube.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from harness.cluster import Cluster
    from harness.lab import Store

    from synth_api.resources.synth_sweep import SweepStatus

NAME: Final = "waiting"
SMALL: Final = f"{NUMBER}=2"
MISSPELT: Final = "blueprints.particles.Bead.nubmer=2"
SLOW_PORT: Final = 9001
LATER_BUCKET: Final = "later"
RARE_GPU: Final = "example.com/rare-gpu"
CAPACITY: Final = f"/status/capacity/{RARE_GPU.replace('/', '~1')}"
SECONDS: Final = 10
"""From the moment at which Kubernetes knows."""

Spec = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """Something that a sweep waits for."""

    put: Callable[[Lab], Spec]
    """Puts it in the way; what the sweep says beside the usual."""
    remove: Callable[[Lab], object]
    reason: Reason
    words: str
    """Of the message; `{host}` is the store's, `{image}` the renderer."""
    renders: bool = False
    """Only a render pod can meet it."""


def invalid_recipe(lab: Lab) -> Spec:
    broken = recipe()
    broken["initial_runtime_state"]["seed"] = -1
    lab.recipe("spheres-sem", broken)
    return {}


def missing_recipe(lab: Lab) -> Spec:
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthrecipe", "spheres-sem")
    return {}


def unknown_path(lab: Lab) -> Spec:
    return {"overrides": [MISSPELT]}


def missing_secret(lab: Lab) -> Spec:
    lab.cluster.kubectl("-n", lab.namespace, "delete", "secret", "dataset-store")
    return {}


def wrong_credentials(lab: Lab) -> Spec:
    lab.make_secret("another-secret-key")
    return {}


def missing_bucket(lab: Lab) -> Spec:
    return {"output": {**lab.output, "bucket": LATER_BUCKET}}


def unreachable_endpoint(lab: Lab) -> Spec:
    """A port behind which the store is, but whose packets are dropped, so that nobody says no."""
    sandbox, host = lab.cluster.sandbox, lab.cluster.address
    sandbox.run("iptables", "--insert", *packets())
    forward = ("socat", f"TCP-LISTEN:{SLOW_PORT},bind={host},fork,reuseaddr", f"TCP:{lab.store.endpoint}")
    sandbox.start(forward, sandbox.place.log("forward"))
    return {"output": {**lab.output, "endpoint": f"{host}:{SLOW_PORT}"}}


def packets() -> tuple[str, ...]:
    return ("INPUT", "--protocol", "tcp", "--dport", str(SLOW_PORT), "--jump", "DROP")


def missing_image(lab: Lab) -> Spec:
    return {"image": f"{lab.cluster.images[1]}-later"}


def push_image(lab: Lab) -> None:
    """What a registry would be for, the kubelet finds on its node."""
    image = lab.cluster.images[1]
    lab.cluster.sandbox.run("ctr", f"--address={CONTAINERD}", "-n=k8s.io", "images", "tag", image, f"{image}-later")


def misspelt_image(lab: Lab) -> Spec:
    return {"image": f"{lab.cluster.images[1]}-misspelt"}


def missing_gpu(lab: Lab) -> Spec:
    return {"gpu": {"count": 1, "resourceName": RARE_GPU}, "device": "cpu"}


def offer_gpu(lab: Lab) -> None:
    operation = json.dumps([{"op": "add", "path": CAPACITY, "value": "1"}])
    lab.cluster.kubectl("patch", "node", NODE, "--subresource=status", "--type=json", "-p", operation)


def quota(lab: Lab) -> Spec:
    lab.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"pods": "0"}}}
    )
    return {}


def remove_quota(lab: Lab) -> None:
    lab.cluster.kubectl("-n", lab.namespace, "delete", "resourcequota", "small")


def mend_recipe(lab: Lab) -> None:
    lab.recipe("spheres-sem", recipe())


CAUSES: Final = {
    "invalid-recipe": Cause(
        invalid_recipe,
        mend_recipe,
        Reason.RECIPE_INVALID,
        "The recipe 'spheres-sem' is invalid: initial_runtime_state.seed",
    ),
    "missing-recipe": Cause(
        missing_recipe,
        mend_recipe,
        Reason.RECIPE_NOT_FOUND,
        "There is no SynthRecipe 'spheres-sem' in this namespace; apply one.",
    ),
    "unknown-path": Cause(
        unknown_path,
        lambda lab: lab.patch(NAME, overrides=[SMALL]),
        Reason.SWEEP_INVALID,
        "The sweep is invalid: blueprints.particles.Bead.nubmer",
    ),
    "missing-secret": Cause(
        missing_secret,
        lambda lab: lab.make_secret(),
        Reason.SECRET_NOT_FOUND,
        'The credentials of the store are not there: secret "dataset-store" not found; create the Secret.',
    ),
    "wrong-credentials": Cause(
        wrong_credentials,
        lambda lab: lab.make_secret(),
        Reason.ACCESS_DENIED,
        "The store at {host}:9000 denies access to bucket 'datasets' (SignatureDoesNotMatch): "
        "the secret key does not fit the access key; correct AWS_SECRET_ACCESS_KEY",
    ),
    "missing-bucket": Cause(
        missing_bucket,
        lambda lab: lab.store.client.make_bucket(LATER_BUCKET),
        Reason.BUCKET_NOT_FOUND,
        "The store at {host}:9000 has no bucket 'later'; create it or correct output.bucket",
    ),
    "unreachable-endpoint": Cause(
        unreachable_endpoint,
        lambda lab: lab.cluster.sandbox.run("iptables", "--delete", *packets()),
        Reason.STORE_UNREACHABLE,
        "The store at {host}:9001 cannot be used (it does not answer); "
        "check output.endpoint and whether the store runs",
    ),
    "missing-image": Cause(
        missing_image,
        push_image,
        Reason.IMAGE_UNAVAILABLE,
        'The image of the render pod cannot be pulled: failed to pull and unpack image "{image}-later"',
        renders=True,
    ),
    "misspelt-image": Cause(
        misspelt_image,
        lambda lab: lab.patch(NAME, image=lab.cluster.images[1]),
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
        quota,
        remove_quota,
        Reason.QUOTA_EXCEEDED,
        "The namespace's quota is exceeded: small, requested: pods=1, used: pods=0, limited: pods=0.",
    ),
}
each_cause = pytest.mark.parametrize("cause", CAUSES)
Labs = dict[str, Lab]


@pytest.fixture(scope="module")
def labs(cluster: Cluster, store: Store) -> Labs:
    """Sweeps that wait, one for each cause."""
    made = {name: Lab(cluster, store, f"{name}-{token_hex(3)}") for name in CAUSES}
    for name, lab in made.items():
        lab.open()
        lab.recipe("spheres-sem", recipe())
        spec = {"overrides": [SMALL], "podTemplate": lab.trial_engine("null"), **CAUSES[name].put(lab)}
        lab.sweep(NAME, "spheres-sem", **spec)
    return made


@pytest.fixture(scope="module")
def freed(labs: Labs) -> Labs:
    """The same, with all causes removed."""
    for name, lab in labs.items():
        CAUSES[name].remove(lab)
    return labs


@each_cause
def test_one_clear_message_says_why_a_sweep_waits(labs: Labs, cause: str) -> None:
    lab, wanted = labs[cause], CAUSES[cause]
    words = wanted.words.format(host=lab.cluster.address, image=lab.cluster.images[1])

    status = lab.until(NAME, lambda status: ready_reason(status) is wanted.reason, f"no {wanted.reason}")

    message = ready_message(status)
    assert words in message
    assert status.phase is Phase.WAITING
    assert seconds_to_say(lab, status) <= SECONDS
    assert message in lab.cluster.kubectl("-n", lab.namespace, "get", "synthsweep", NAME, "--output=wide")
    described = lab.cluster.kubectl("-n", lab.namespace, "describe", "synthsweep", NAME)
    assert described.count(message) == 3, "two conditions and one event"
    assert bool(lab.jobs(NAME, "render")) == wanted.renders


@each_cause
def test_a_sweep_goes_on_by_itself_when_the_cause_is_gone(freed: Labs, cause: str) -> None:
    status = freed[cause].finished(NAME)

    assert (status.phase, status.runs.succeeded) == (Phase.COMPLETE, 1)


def seconds_to_say(lab: Lab, status: SweepStatus) -> float:
    """From Kubernetes' knowing, or the sweep's being applied where no pod is needed to know."""
    assert status.waiting_since is not None
    created = moment(lab.cluster.get("synthsweep", NAME, lab.namespace)["metadata"]["creationTimestamp"])
    return (status.waiting_since - min(known(lab), default=created)).total_seconds()


def known(lab: Lab) -> Iterator[datetime]:
    """When Kubernetes complained of a Job or pod, and when a pod ended."""
    for event in lab.cluster.get("events", namespace=lab.namespace)["items"]:
        if event["type"] == "Warning" and event["involvedObject"]["kind"] in ("Job", "Pod"):
            yield moment(event["firstTimestamp"] or event["eventTime"])
    yield from (pod.ended for pod in map(PodObject.of, lab.pods(NAME)) if pod.ended)


def test_an_image_that_the_operator_is_configured_with_anew_is_used(cluster: Cluster, lab: Lab) -> None:
    lab.recipe("spheres-sem", recipe())
    install_operator(cluster, "renderer.image.tag=absent")
    try:
        lab.sweep(NAME, "spheres-sem", overrides=[SMALL], podTemplate=lab.trial_engine("null"))
        lab.until(NAME, lambda status: ready_reason(status) is Reason.IMAGE_UNAVAILABLE, "the image is there")
    finally:
        install_operator(cluster)

    assert lab.finished(NAME).phase is Phase.COMPLETE


def test_a_name_of_40_characters_fits_everywhere_and_one_more_is_refused(lab: Lab) -> None:
    lab.recipe("spheres-sem", recipe())
    small: Spec = {"overrides": [SMALL], "podTemplate": lab.trial_engine("null"), "deletionPolicy": "Delete"}
    longest = "n" * MAX_NAME

    with pytest.raises(CommandError, match="the name of a sweep is a DNS label of at most 40 characters"):
        lab.sweep(f"{longest}n", "spheres-sem", **small)
    lab.sweep(longest, "spheres-sem", **small)

    assert lab.finished(longest).phase is Phase.COMPLETE
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthsweep", longest, "--timeout=60s")
    assert not list(lab.store.client.list_objects(BUCKET, f"{lab.namespace}/sweeps/", recursive=True))
