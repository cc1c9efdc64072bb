from collections.abc import Callable
from typing import Any

import pytest

from synth_api.errors import InputError
from synth_api.jobs.attempt_input import CA_FILE, INPUT_FOLDER, SCRATCH_FOLDER, STARTED_FILE
from synth_api.jobs.batches import Batches
from synth_api.jobs.kernel_cache import KERNEL_CACHE_BYTES_VARIABLE, KERNEL_CACHE_VARIABLE
from synth_api.jobs.messages import JobKind
from synth_api.resources.output import Output
from synth_operator.configuration import Configuration
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.jobs import build_render_job, compute_inputs_hash
from synth_operator.manifests.names import JobKey

ATTEMPT = "ab" * 32
TASK = JobKey(JobKind.RENDER, ATTEMPT, 1)
BATCHES = Batches(todo=11_000, size=9)
Make = Callable[..., SweepObject]


def build_job(sweep: SweepObject, output: Output, configuration: Configuration) -> dict[str, Any]:
    return build_render_job(sweep, TASK, BATCHES, output, configuration)


def container(job: dict[str, Any]) -> dict[str, Any]:
    (only,) = job["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_a_shard_is_an_indexed_job_with_one_index_per_batch(
    sweep: Make, output: Output, configuration: Configuration
) -> None:
    spec = build_job(sweep(parallelism=4, retriesPerRun=1), output, configuration)["spec"]

    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == BATCHES.count - 1000
    assert spec["parallelism"] == 4
    assert spec["backoffLimitPerIndex"] == (1 + 2) * 9
    assert spec["suspend"] is False
    assert "ttlSecondsAfterFinished" not in spec


def test_a_stopped_pod_never_counts_and_exit_code_64_fails_the_job(
    sweep: Make, output: Output, configuration: Configuration
) -> None:
    policy = build_job(sweep(), output, configuration)["spec"]["podFailurePolicy"]

    codes = {rule["action"]: rule["onExitCodes"]["values"] for rule in policy["rules"] if "onExitCodes" in rule}
    assert codes == {"Ignore": [143], "FailJob": [64]}
    assert policy["rules"][0] == {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }


def test_a_pod_is_restricted(sweep: Make, output: Output, configuration: Configuration) -> None:
    pod = build_job(sweep(), output, configuration)["spec"]["template"]["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]} == {INPUT_FOLDER, SCRATCH_FOLDER}


def test_credentials_come_by_reference(sweep: Make, output: Output, configuration: Configuration) -> None:
    environment = {
        variable["name"]: variable for variable in container(build_job(sweep(), output, configuration))["env"]
    }

    for name, optional in [("AWS_ACCESS_KEY_ID", False), ("AWS_SECRET_ACCESS_KEY", False), ("AWS_SESSION_TOKEN", True)]:
        reference = {"name": "store", "key": name, "optional": optional}
        assert environment[name]["valueFrom"] == {"secretKeyRef": reference}


def test_without_a_secret_the_service_account_gives_access_to_the_store(
    sweep: Make, configuration: Configuration
) -> None:
    output = Output.model_validate({"endpoint": "s3:443", "bucket": "bucket", "serviceAccountName": "writer"})

    job = build_job(sweep(), output, configuration)

    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "writer"
    assert not [variable for variable in container(job)["env"] if variable["name"].startswith("AWS")]


def test_a_pod_without_its_certificate_authority_starts(sweep: Make, configuration: Configuration) -> None:
    output = Output.model_validate({"endpoint": "s", "bucket": "abc", "caSecretRef": {"name": "ca", "key": "root.pem"}})

    job = build_job(sweep(), output, configuration)

    (volume,) = (v for v in job["spec"]["template"]["spec"]["volumes"] if v["name"] == "ca")
    assert volume["secret"] == {
        "secretName": "ca",
        "items": [{"key": "root.pem", "path": "ca.crt"}],
        "optional": True,
    }
    assert CA_FILE.startswith(next(m["mountPath"] for m in container(job)["volumeMounts"] if m["name"] == "ca"))


@pytest.mark.parametrize(
    ("spec", "device", "gpus"),
    [
        ({}, "cpu", []),
        ({"gpu": {}}, "gpu", ["--gpus", "1", "--startup-seconds", "1200"]),
        ({"gpu": {"count": 2}, "device": "cpu"}, "cpu", ["--gpus", "2"]),
        ({"device": "auto"}, "auto", ["--startup-seconds", "1200"]),
        ({"workersPerPod": 4}, "cpu", ["--workers", "4"]),
        ({"gpu": {}, "workersPerPod": 4}, "gpu", ["--gpus", "1", "--workers", "4", "--startup-seconds", "1200"]),
    ],
)
def test_the_worker_is_told_its_device_and_the_gpus_whose_seconds_it_counts(
    spec: dict[str, Any], device: str, gpus: list[str], sweep: Make, output: Output, configuration: Configuration
) -> None:
    arguments = container(build_job(sweep(**spec), output, configuration))["args"]

    assert arguments == ["--shard", "1", "--device", device, "--retries-per-run", "2", *gpus]


def test_workers_of_gpu_pods_may_be_set_for_all_sweeps(sweep: Make, output: Output) -> None:
    tree = {"operatorImage": "a", "rendererImage": "b", "lease": {"namespace": "c"}, "gpu": {"workersPerPod": 6}}
    configuration = Configuration.from_tree(tree)

    specs: list[dict[str, Any]] = [{"gpu": {}}, {"gpu": {}, "workersPerPod": 2}, {}]
    arguments = [container(build_job(sweep(**spec), output, configuration))["args"][6:10] for spec in specs]

    assert arguments == [["--gpus", "1", "--workers", "6"], ["--gpus", "1", "--workers", "2"], []]


def test_a_pod_with_a_gpu_is_not_started_before_its_kernels_are_loaded(sweep: Make, output: Output) -> None:
    rules = {"operatorImage": "a", "rendererImage": "b", "lease": {"namespace": "c"}, "gpu": {"startupSeconds": 3000}}
    configuration = Configuration.from_tree(rules)
    on_gpu, on_cpu = (container(build_job(sweep(**spec), output, configuration)) for spec in ({"gpu": {}}, {}))

    probe = on_gpu["startupProbe"]
    assert STARTED_FILE in probe["exec"]["command"][-1]
    assert probe["failureThreshold"] == 1, "each failure is an Event; the one probe waits"
    assert probe["timeoutSeconds"] > 3000 == int(on_gpu["args"][on_gpu["args"].index("--startup-seconds") + 1])
    assert "startupProbe" not in on_cpu


def test_gpu_pods_go_to_gpu_nodes(sweep: Make, output: Output) -> None:
    configuration = Configuration.from_tree(
        {
            "operatorImage": "a",
            "rendererImage": "b",
            "lease": {"namespace": "c"},
            "gpu": {"nodeSelector": {"pool": "gpu"}, "runtimeClassName": "nvidia"},
        }
    )

    job = build_job(
        sweep(gpu={"count": 2, "tolerations": [{"key": "lab", "operator": "Exists"}]}), output, configuration
    )

    pod = job["spec"]["template"]["spec"]
    assert container(job)["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert pod["nodeSelector"] == {"pool": "gpu"}
    assert pod["tolerations"] == [{"key": "lab", "operator": "Exists"}]
    assert pod["runtimeClassName"] == "nvidia"
    environment = {variable["name"]: variable.get("value") for variable in container(job)["env"]}
    assert environment["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility,graphics"
    assert str(environment["OPTIX_CACHE_PATH"]).startswith(SCRATCH_FOLDER)
    assert KERNEL_CACHE_VARIABLE not in environment


def build_cached_job(sweep: SweepObject, output: Output, **cache: Any) -> dict[str, Any]:
    least = {"operatorImage": "a", "rendererImage": "b", "lease": {"namespace": "c"}}
    return build_job(sweep, output, Configuration.from_tree({**least, "gpu": {"kernelCache": cache}}))


@pytest.mark.parametrize(
    ("cache", "source", "own"),
    [
        (
            {"hostPath": {"path": "/var/cache/kernels"}},
            {"hostPath": {"path": "/var/cache/kernels", "type": "DirectoryOrCreate"}},
            {"subPath": "lab"},
        ),
        ({"claim": {"name": "kernels"}}, {"persistentVolumeClaim": {"claimName": "kernels"}}, {}),
    ],
    ids=["hostPath", "claim"],
)
def test_a_kernel_cache_outlives_the_pods_of_gpu_sweeps(
    cache: dict[str, Any], source: dict[str, Any], own: dict[str, Any], sweep: Make, output: Output
) -> None:
    job = build_cached_job(sweep(gpu={}), output, **cache, size="3Gi")

    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][-1] == {"name": "kernels", **source}
    assert container(job)["volumeMounts"][-1] == {"name": "kernels", "mountPath": "/kernels", **own}
    environment = {variable["name"]: variable.get("value") for variable in container(job)["env"]}
    assert environment[KERNEL_CACHE_VARIABLE] == "/kernels"
    assert environment[KERNEL_CACHE_BYTES_VARIABLE] == str(3 << 30)
    assert str(environment["CUDA_CACHE_PATH"]).startswith(SCRATCH_FOLDER), "drivers never work on a shared volume"


def test_the_user_of_the_pod_may_write_to_the_claim(sweep: Make, output: Output) -> None:
    pod = build_cached_job(sweep(gpu={}), output, claim={"name": "kernels"})["spec"]["template"]["spec"]
    assert pod["securityContext"]["fsGroup"] == 10001
    assert pod["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize(
    ("spec", "namespaces"), [({}, []), ({"gpu": {}}, ["other"])], ids=["no GPU", "another namespace"]
)
def test_other_pods_have_no_kernel_cache(
    spec: dict[str, Any], namespaces: list[str], sweep: Make, output: Output
) -> None:
    job = build_cached_job(sweep(**spec), output, hostPath={"path": "/kernels", "namespaces": namespaces})

    assert {volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]} == {"input", "scratch"}
    assert KERNEL_CACHE_VARIABLE not in {variable["name"] for variable in container(job)["env"]}


def test_a_kernel_cache_is_in_one_place() -> None:
    both = {"hostPath": {"path": "/k"}, "claim": {"name": "k"}}
    with pytest.raises(InputError, match="hostPath and claim exclude each other; leave one of them out"):
        Configuration.from_tree(
            {"operatorImage": "a", "rendererImage": "b", "lease": {"namespace": "c"}, "gpu": {"kernelCache": both}}
        )


def test_a_request_replaces_the_default_limit_of_the_same_resource(
    sweep: Make, output: Output, configuration: Configuration
) -> None:
    job = build_job(sweep(resources={"requests": {"memory": "64Gi"}}), output, configuration)

    assert container(job)["resources"] == {"requests": {"cpu": "2", "memory": "64Gi"}}


def test_a_queued_job_is_created_suspended(sweep: Make, output: Output, configuration: Configuration) -> None:
    job = build_job(sweep(queueName="gpus"), output, configuration)

    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert job["spec"]["suspend"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"image": "lab/x:1"},
        {"resources": {"limits": {"cpu": 1}}},
        {"gpu": {}},
        {"podTemplate": {}},
        {"retriesPerRun": 3},
        {"workersPerPod": 3},
        {"device": "cpu"},
        {"priorityClassName": "high"},
        {"queueName": "q"},
    ],
)
def test_an_immutable_field_changes_the_inputs_hash(change: dict[str, Any], sweep: Make) -> None:
    assert compute_inputs_hash(sweep(**change), TASK) != compute_inputs_hash(sweep(), TASK)


@pytest.mark.parametrize("change", [{"parallelism": 9}, {"suspend": True}, {"maxFailedRuns": 3}, {"batchSize": 4}])
def test_a_mutable_field_does_not_change_the_inputs_hash(change: dict[str, Any], sweep: Make) -> None:
    assert compute_inputs_hash(sweep(**change), TASK) == compute_inputs_hash(sweep(), TASK)


def test_names_of_the_longest_sweep_fit(sweep: Make, output: Output, configuration: Configuration) -> None:
    job = build_job(sweep(name="n" * 40), output, configuration)

    assert len(job["metadata"]["name"]) <= 63 - 10, "the Job controller adds an index and five characters"
    for value in job["metadata"]["labels"].values():
        assert len(value) <= 63


def test_a_job_object_has_the_values_of_its_manifest(sweep: Make, output: Output, configuration: Configuration) -> None:
    body = build_job(sweep(), output, configuration)
    body["metadata"] |= {"uid": "uid-2", "creationTimestamp": "2026-05-01T12:00:00Z"}

    job = JobObject.from_json(body)

    assert (job.kind, job.shard, job.owner, job.attempt) == (JobKind.RENDER, 1, "uid-1", ATTEMPT[:16])
    assert job.inputs == compute_inputs_hash(sweep(), TASK)
    assert job.finish is None
