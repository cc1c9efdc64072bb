"""Start-up of a pod's GPU: log, message, batch document and the file of the startup probe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_dataset.documents import layout

if TYPE_CHECKING:
    from conftest import Pods

SENTENCE = "Compiling Cycles kernels for NVIDIA A100 (sm_80); once per driver"
DEVICE = "NVIDIA A100 (sm_80), CUDA"
REAL = {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real"}


def trace(pods: Pods) -> dict[str, Any]:
    """Return the recipe of the attempt with a picture that Cycles traces."""
    chain = {**pods.given.recipe["synth_chain"], "rendering_steps": [REAL]}
    return {**pods.given.recipe, "synth_chain": chain}


def order_device(pods: Pods, what: str) -> None:
    (pods.folder / "device").write_text(what)


def test_a_start_up_is_in_log_message_and_document_and_in_no_run(pods: Pods) -> None:
    assert pods.run(options=["--device=cuda"], recipe=trace(pods)) == 0

    events = {event["event"]: event for event in pods.events()}
    assert events["starting up"]["message"] == SENTENCE
    assert events["started up"]["device"] == DEVICE
    message, document = pods.message, pods.document()
    assert message.devices == document.devices == (DEVICE,)
    assert 0 < message.gpu_seconds_startup == round(document.gpu_seconds_startup, 3)
    assert message.seconds == {}, "the trial's stage takes no time, and its start-up is no stage"
    assert (pods.folder / "started").exists()
    keys = list(pods.store.iterate_files(layout.MANIFESTS))
    assert [json.loads(pods.store.read(path))["gpu"]["name"] for path in keys] == ["NVIDIA A100"] * 2


def test_a_start_up_beyond_its_limit_ends_the_pod_with_try_again_and_its_sentence(pods: Pods) -> None:
    order_device(pods, "hang")

    assert pods.run(options=["--device=cuda", "--startup-seconds=0.5"], recipe=trace(pods)) == 75

    message = pods.message
    assert message.problem is not None
    assert message.problem.reason == "DeviceUnavailable"
    assert message.problem.message == f"{SENTENCE}: not done after 0 s, the limit"
    assert message.succeeded == message.failed == 0
    assert pods.document().in_flight == ()
    assert not (pods.folder / "started").exists()
    assert pods.tries(0) == 0


def test_a_gpu_that_fails_in_the_middle_of_a_batch_ends_the_pod_and_fails_no_run(pods: Pods) -> None:
    pods.order(3, "gpu fails")

    assert pods.run(options=["--device=cuda"], recipe=trace(pods)) == 75

    message = pods.message
    assert message.problem is not None
    assert message.problem.reason == "DeviceUnavailable"
    assert message.problem.message.startswith("the GPU failed: Illegal address in CUDA queue synchronize ()")
    assert (message.succeeded, message.failed) == (1, 0)
    assert pods.document().in_flight == ()
    pods.order(3, "")
    assert pods.run(options=["--device=cuda"], recipe=trace(pods)) == 0
    assert pods.message.succeeded == 2
    assert pods.message.gpu_seconds_startup > message.gpu_seconds_startup


def test_without_traced_pictures_a_pod_is_started_at_once(pods: Pods) -> None:
    assert pods.run(options=["--device=cuda"]) == 0

    assert (pods.folder / "started").exists()
    assert not (pods.folder / "device.log").exists()
    assert pods.message.devices == ()
    assert pods.message.gpu_seconds_startup == 0
