"""The plan and finalize Jobs as their pods run them, on a real MinIO."""

from __future__ import annotations

import json
import logging
import socket
from io import BytesIO

import pyarrow.parquet as pq
import pytest
from servers import ACCESS_KEY, SECRET_KEY
from waiting import SECONDS

from synth_api.jobs.messages import FinalizeMessage, PlanMessage
from synth_api.resources.synth_sweep import AxisSpec, Range, SingleAxis
from synth_dataset.attempts.attempt import AttemptIdentity, find_dataset, iterate_keys, open_attempt
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument, RunUsage
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.jobs import job_process

SEED = "initial_runtime_state.seed"
ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
"""Keys that see a missing bucket, where the policy of a namespace denies access."""


def attempt_folder(pod):
    return AttemptIdentity(pod.given.namespace, pod.given.name, pod.given.plan, pod.given.attempt).path


def batch(store, pod, number, succeeded=0, failed=()):
    document = BatchDocument(batch=number, size=2).add_startup("NVIDIA H200 (sm_90), CUDA", 1.5)
    usage = RunUsage(seconds={"real": 2.0}, gpu_seconds=3.0, bytes=10)
    for position in range(succeeded):
        document = document.add_success(-1, position, usage)
    for position, run in enumerate(failed, start=succeeded):
        overrides = pod.given.build_sweep().overrides(run)
        document = document.add_failure(
            FailedRun(number=run, overrides=overrides, reason="GateFailed", message="flat"),
            position,
            usage,
        )
    store.write(layout.batch_path(attempt_folder(pod), number), document.to_json())


def test_a_plan_reports_existing_runs_and_runs_to_do(pod, store, render):
    render(1)
    ended = pod.run("plan")
    assert ended.code == 0
    message = ended.message
    assert isinstance(message, PlanMessage)
    assert (message.total, message.cached, message.todo, message.batch_size, message.batches) == (4, 1, 3, 2, 2)
    attempt = open_attempt(store, attempt_folder(pod))
    assert attempt.document.todo == ((0, 1), (2, 4))
    assert attempt.document.batch_size == 2
    assert list(iterate_keys(store, attempt.path)) == list(pod.given.build_sweep().keys())


def test_a_second_pod_of_the_same_attempt_reads_the_plan_of_the_first(pod, store, render):
    first = pod.run("plan").message
    render(0, 1)
    second = pod.run("plan").message
    assert (second.cached, second.todo) == (first.cached, first.todo) == (0, 4)


def test_a_plan_interrupted_between_its_two_files_is_written_again(pod, store):
    store.write(f"{attempt_folder(pod)}/keys.bin", b"half")
    assert pod.run("plan").message.todo == 4
    assert open_attempt(store, attempt_folder(pod)).document.total == 4


def test_runs_left_out_keep_their_numbers_and_count_nowhere(pod, store, render):
    pod = pod.change_input(exclude=({SEED: 1},))
    ended = pod.run("plan")
    assert (ended.message.total, ended.message.todo) == (3, 3)
    attempt = open_attempt(store, attempt_folder(pod))
    assert attempt.document.todo == ((0, 1), (2, 4))
    assert attempt.document.excluded == 1
    assert list(iterate_keys(store, attempt.path))[1] == bytes(32)
    render(0, 2, 3)
    done = pod.run("finalize").message
    assert (done.total, done.succeeded, done.missing) == (3, 3, 0)
    index = pq.read_table(BytesIO(store.read(f"{attempt.path}/index.parquet"))).to_pydict()
    assert index["run"] == [0, 2, 3]


def test_axes_that_move_together_are_named_in_the_index(pod, store, render):
    seeds = SingleAxis(path=SEED, values=(5, 6))
    widths = SingleAxis(path="+blueprints.measurement_techniques.SEM.features.resolution_percentage", values=(10, 20))
    pod = pod.change_input(overrides=(), axes=(AxisSpec(zip=(seeds, widths)),))
    assert pod.run("plan").message.total == 2
    render(0, 1, sweep=pod.given.build_sweep())
    pod.run("finalize")
    attempt = open_attempt(store, attempt_folder(pod))
    index = pq.read_table(BytesIO(store.read(f"{attempt.path}/index.parquet"))).to_pydict()
    assert index[SEED] == [5, 6]
    assert index["blueprints.measurement_techniques.SEM.features.resolution_percentage"] == [10, 20]


def test_a_dataset_is_committed_also_when_runs_failed(pod, store, render):
    render(0)
    pod.run("plan")
    render(2, 3)
    batch(store, pod, 0, succeeded=2)
    batch(store, pod, 1, failed=[1])
    ended = pod.run("finalize")
    assert ended.code == 0
    message = ended.message
    assert isinstance(message, FinalizeMessage)
    assert (message.total, message.cached, message.succeeded, message.failed, message.missing) == (4, 1, 2, 1, 0)
    assert [(failure.run, failure.overrides, failure.reason) for failure in message.failures] == [
        (1, {SEED: 1}, "GateFailed")
    ]
    assert message.reasons == {"GateFailed": 1}
    assert message.seconds == {"real": 6.0}
    assert (message.gpu_seconds_used, message.gpu_seconds_lost, message.bytes) == (6.0, 3.0, 30)
    assert (message.gpu_seconds_startup, message.devices) == (3.0, ("NVIDIA H200 (sm_90), CUDA",))
    assert message.dataset == store.format_uri("sweeps/lab/seeds/dataset.json")
    dataset = find_dataset(store, "lab", "seeds")
    assert dataset.folder == attempt_folder(pod)
    rows = store.read(f"{dataset.folder}/gallery/runs-00000.js").decode()
    assert f'"runs/{pod.given.build_sweep().key(0)[:2]}/' in rows
    assert len(json.loads(store.read(f"{dataset.folder}/coco.json"))["images"]) == 3


def test_a_dataset_has_the_categories_of_its_recipe_before_a_run_exists(pod, store):
    kinds = {name: {"geometry_prototype_name": "sphere", "number": 2} for name in ("Flake", "Bead")}
    blueprints = {**pod.given.recipe["blueprints"], "particles": kinds}
    pod = pod.change_input(recipe={**pod.given.recipe, "blueprints": blueprints})
    pod.run("plan")
    pod.run("finalize")
    dataset = find_dataset(store, "lab", "seeds")
    assert [(kind.id, kind.name) for kind in dataset.categories] == [(1, "Bead"), (2, "Flake")]
    coco = json.loads(store.read(f"{dataset.folder}/coco.json"))
    assert [(kind["id"], kind["name"]) for kind in coco["categories"]] == [(1, "Bead"), (2, "Flake")]


def test_a_run_recorded_as_failed_that_exists_now_has_succeeded(pod, store, render):
    pod.run("plan")
    batch(store, pod, 0, failed=[0, 3])
    render(0, 1, 2, 3)
    message = pod.run("finalize").message
    assert (message.succeeded, message.failed, message.failures, message.reasons) == (4, 0, (), {})


def test_runs_that_somebody_removed_are_missing(pod, store, render):
    render(0, 1)
    pod.run("plan")
    render(2, 3)
    store.remove_files([layout.manifest_path(pod.given.build_sweep().key(1))])
    message = pod.run("finalize").message
    assert (message.total, message.failed, message.missing) == (4, 0, 1)


def test_finalize_may_be_repeated(pod, store, render):
    pod.run("plan")
    render(0, 1, 2, 3)
    assert pod.run("finalize").message == pod.run("finalize").message


def test_a_run_that_has_lost_a_file_is_missing_until_it_is_rendered_again(pod, store, render, caplog):
    pod.run("plan")
    render(0, 1, 2, 3)
    manifest = store.read_manifest(pod.given.build_sweep().key(1))
    store.write(f"{layout.run_path(manifest.key, manifest.c8)}/annotations.json", b"{}")
    message = pod.run("finalize").message
    assert (message.succeeded, message.missing) == (3, 1)
    assert "its file annotations.json has 2 bytes instead of 42, so it counts as missing" in caplog.text
    render(1)
    message = pod.run("finalize").message
    assert (message.succeeded, message.missing) == (4, 0)


def test_a_hundred_failures_fit_into_a_message(pod, store, render):
    pod = pod.change_input(overrides=(f"{SEED}=range(100)",), batch_size=100)
    pod.run("plan")
    batch(store, pod, 0, failed=range(100))
    message = pod.run("finalize").message
    assert message.failed == message.reasons["GateFailed"] == 100
    assert 10 < len(message.failures) < 100


def test_the_document_of_another_batch_is_not_counted(pod, store, render):
    pod.run("plan")
    batch(store, pod, 1, failed=[0])
    ended = pod.run("finalize")
    assert ended.code == 75
    assert ended.message.problem.reason == "StoreDamaged"
    assert "batches/1.json: is the document of another batch; remove it" in ended.message.problem.message
    assert find_dataset(store, "lab", "seeds") is None


def test_finalize_without_a_plan_can_never_work(pod):
    ended = pod.run("finalize")
    assert ended.code == 64
    assert ended.message.problem.reason == "PlanUnreadable"
    assert f"{attempt_folder(pod)}: the attempt cannot be read" in ended.message.problem.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"overrides": (f"{SEED}=1,two",)}, "two"),
        ({"overrides": ("no.such.key=1,2",)}, "no"),
        ({"recipe": {"defaults": ["BaseRecipe"], "initial_runtime_state": {"sed": 1}}}, "sed"),
        ({"axes": (AxisSpec(path=SEED, range=Range(stop=2_000_000)),), "overrides": ()}, "1,000,000"),
    ],
)
def test_a_sweep_that_is_wrong_is_never_planned(pod, store, change, words):
    ended = pod.change_input(**change, plan="1" * 64, attempt="1" * 64).run("plan")
    assert ended.code == 64
    assert ended.message.problem.reason == "SweepInvalid"
    assert words in ended.message.problem.message
    assert list(store.iterate_files("sweeps")) == []


@pytest.mark.parametrize("job", ["plan", "finalize"])
def test_another_engine_version_never_works(pod, job):
    ended = pod.change_input(engine_version=99, plan="1" * 64, attempt="1" * 64).run(job)
    assert ended.code == 64
    assert ended.message.problem.reason == "EngineMismatch"
    assert "the operator has engine version 99" in ended.message.problem.message


def test_an_input_of_another_release_never_works(pod, tmp_path):
    pod = pod.change_input(plan="1" * 64, attempt="1" * 64)
    object.__setattr__(pod.given, "output", pod.given.output.model_copy(update={"bucket": "NO"}))
    ended = pod.run("plan")
    assert ended.code == 64
    assert ended.message.problem.reason == "PlanUnreadable"
    assert "is not an attempt of this release: " in ended.message.problem.message


@pytest.mark.parametrize("job", ["plan", "finalize", "delete"])
@pytest.mark.parametrize(
    ("reason", "words", "output", "environment"),
    [
        ("AccessDenied", "(SignatureDoesNotMatch): the secret key", {}, {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}),
        ("AccessDenied", "(InvalidAccessKeyId): it knows no", {}, {"AWS_ACCESS_KEY_ID": "wrong-key"}),
        ("AccessDenied", "AWS_ACCESS_KEY_ID but no AWS_SECRET_ACCESS_KEY", {}, {"AWS_SECRET_ACCESS_KEY": ""}),
        ("BucketNotFound", "has no bucket 'elsewhere'; create it", {"bucket": "elsewhere"}, ADMINISTRATOR),
        ("StoreUnreachable", "(connection refused)", {"endpoint": "127.0.0.1:1"}, {}),
        ("StoreUnreachable", "set output.insecure", {"insecure": False}, {}),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence_at_once(pod, job, reason, words, output, environment):
    pod.run("plan")
    output = pod.given.output.model_copy(update=output)
    ended = pod.change_input(output=output, attempt=pod.given.attempt).with_environment(**environment).run(job)
    assert ended.code == 75
    assert ended.message.problem.reason == reason
    assert words in ended.message.problem.message
    assert not any(secret in ended.text for secret in (pod.environment["AWS_SECRET_ACCESS_KEY"], "wrong-secret"))


def test_finalize_logs_how_many_runs_the_dataset_has(pod, render, monkeypatch):
    monkeypatch.setattr(job_process, "LOG_INTERVAL_SECONDS", 0.0)
    pod.run("plan")
    render(0, 1, 2, 3)
    lines = [line for line in pod.run("finalize").log if line["event"].startswith("writing")]
    for event in ("writing the dataset", "writing coco.json", "writing index.html"):
        assert [(line["done"], line["runs"]) for line in lines if line["event"] == event] == [
            (done, 4) for done in (1, 2, 3, 4)
        ]


def test_every_log_line_is_json_about_one_step(pod):
    events = [line["event"] for line in pod.run("plan").log]
    steps = ["the sweep is valid", "the store can be used", "the runs are looked for"]
    assert events == ["plan begins", *steps, "plan is done"]


def test_a_warning_of_a_package_is_a_json_line_too(capsys):
    warning = logging.LogRecord(
        "synth_dataset", logging.WARNING, "", 0, "run %d has keys of a later release", (3,), None
    )
    job_process.WarningLog().emit(warning)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["message"]) == ("warning", "run 3 has keys of a later release")


@pytest.mark.parametrize(("place", "code"), [("datasets", 0), ("elsewhere", 75)])
def test_a_pod_ends_with_the_code_and_the_message(pod, place, code):
    pod = pod.change_input(output=pod.given.output.model_copy(update={"bucket": place}))
    process = pod.start("plan")
    _, log = process.communicate()
    ended = pod.read_end(process.returncode, log)
    assert ended.code == code
    assert (ended.message.problem is None) == (code == 0)


@pytest.mark.parametrize("job", ["plan", "finalize", "delete"])
def test_a_pod_exits_with_143_after_sigterm(pod, job):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        process = pod.change_input(output=pod.given.output.model_copy(update={"endpoint": endpoint})).start(job)
        waiting, _ = silent.accept()
        with waiting:
            process.terminate()
            process.communicate()
    assert process.returncode == 143


BUSY_JOB = """
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from synth_dataset.jobs.job_process import Job, main

def work(given, store):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (print("busy", file=sys.stderr, flush=True), threading.Event().wait()))

main(Job("plan", work, lambda problem: None))
"""


def test_a_pod_does_not_wait_for_store_requests_after_sigterm(pod):
    with pod.start_script(BUSY_JOB) as process:
        assert any("busy" in line for line in process.stderr)
        process.terminate()
        assert process.wait(timeout=SECONDS) == 143
