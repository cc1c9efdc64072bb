"""`synth` against a real API server: its output, its changes and its errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from api_server import ApiServer, api_server
from minio import Minio
from servers import S3Server, minio_server

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus, ExportAddress
from synth_api.resources.synth_sweep import AttemptStatus, FailureCount, Phase, RunCounts, RunFailure, SweepStatus
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.documents.layout import manifest_path, run_path
from synth_dataset.documents.run_manifest import File, Manifest
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.views.dataset_run import DatasetRun
from synth_dataset.views.index import write_index

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SEED = "initial_runtime_state.seed"
NOW = datetime.now(UTC)
FAILURE = RunFailure(run=17, overrides={SEED: 8}, reason="WorkerDied", message="the worker died 3 times")


def build_status(phase: Phase, runs: RunCounts, **more: Any) -> SweepStatus:
    ready = Condition(
        type=ConditionType.READY,
        status="False",
        reason=Reason.RENDERING,
        message=f"{phase.value}, as the operator says.",
        observed_generation=1,
        last_transition_time=NOW,
    )
    return SweepStatus(observed_generation=1, phase=phase, runs=runs, conditions=(ready,), **more)


SWEEPS = {
    "rendering": build_status(
        Phase.RENDERING,
        RunCounts(total=180, cached=60, succeeded=40, active=4),
        eta=NOW + timedelta(hours=1),
        runs_per_minute=2.5,
        attempt=AttemptStatus(hash="a" * 64, todo=120, batch_size=6),
        plan="b" * 64,
    ),
    "failed": build_status(
        Phase.FAILED,
        RunCounts(total=180, succeeded=157, failed=23),
        failures=(FAILURE,),
        failure_reasons=(FailureCount(reason="WorkerDied", runs=23),),
        dataset="s3://lab/x/sweeps/lab/failed/dataset.json",
    ),
    "complete": build_status(Phase.COMPLETE, RunCounts(total=180, cached=180)),
}


def build_dataset_status(phase: DatasetPhase, reason: Reason, **more: Any) -> DatasetStatus:
    ready = Condition(
        type=ConditionType.READY,
        status="False",
        reason=reason,
        message=f"{phase.value}, as the operator says.",
        observed_generation=1,
        last_transition_time=NOW,
    )
    return DatasetStatus(observed_generation=1, phase=phase, conditions=(ready,), **more)


DATASETS = {
    "invalid": build_dataset_status(DatasetPhase.FAILED, Reason.DATASET_INVALID),
    "published": build_dataset_status(
        DatasetPhase.PUBLISHED,
        Reason.PUBLISHED,
        version="1",
        runs=180,
        split_runs="train 120, val 60",
        formats="coco,webdataset",
        exports=(ExportAddress(format="coco", address="s3://lab/x/datasets/lab/published/1/coco-12345678"),),
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all")
        running.kubectl("create", "namespace", "lab")
        running.kubectl("apply", "--namespace=lab", f"--filename={ROOT}/recipes/kubernetes/spheres-sem.yaml")
        tutorial = yaml.safe_load((ROOT / "recipes/kubernetes/spheres-sem-180.yaml").read_text())["spec"]
        for name, sweep_status in SWEEPS.items():
            apply_object(running, "SynthSweep", name, tutorial, sweep_status)
        definition = yaml.safe_load((ROOT / "examples/kubernetes-sweep/dataset.yaml").read_text())["spec"]
        for name, dataset_status in DATASETS.items():
            apply_object(running, "SynthDataset", name, definition, dataset_status)
        yield running


def apply_object(
    server: ApiServer, kind: str, name: str, spec: dict[str, Any], status: SweepStatus | DatasetStatus
) -> None:
    server.apply(
        {
            "apiVersion": "synth-operator.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "lab"},
            "spec": spec,
        }
    )
    patch = f'{{"status":{status.model_dump_json(exclude_none=True, by_alias=True)}}}'
    server.kubectl("patch", kind, name, "--namespace=lab", "--subresource=status", "--type=merge", f"--patch={patch}")


class Synth:
    """`synth` in a new process."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
        self.folder = folder

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command; return exit code, stdout and stderr."""
        ended = subprocess.run(
            [sys.executable, "-c", "from synth_cli.main import main; main()", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout, ended.stderr

    def read_output(self, *arguments: str) -> str:
        code, out, error = self(*arguments, "--namespace=lab")
        assert (code, error) == (0, "")
        return out


@pytest.fixture
def synth(server: ApiServer, tmp_path: Path) -> Synth:
    return Synth(server, tmp_path)


def test_status_of_all_sweeps(synth: Synth) -> None:
    sweeps, _, datasets = synth.read_output("status").partition("\n\n")
    head, *rows = sweeps.splitlines()
    assert head.split() == ["sweep", "phase", "done", "total", "cached", "failed", "ends", "age"]
    assert [row.split()[:6] for row in rows] == [
        ["complete", "Complete", "180", "180", "180", "0"],
        ["failed", "Failed", "157", "180", "0", "23"],
        ["rendering", "Rendering", "100", "180", "60", "0"],
    ]
    head, *rows = datasets.splitlines()
    assert head.split() == ["dataset", "phase", "version", "runs", "splits", "exports", "age"]
    assert [row.split()[:-2] for row in rows] == [
        ["invalid", "Failed"],
        ["published", "Published", "1", "180", "train", "120,", "val", "60", "coco,webdataset"],
    ]


def test_status_of_a_dataset(synth: Synth) -> None:
    shown = synth.read_output("status", "dataset/published")
    assert shown.startswith("dataset/published  Published\nPublished, as the operator says.\n")
    for line in ("spheres-sem-180", "180: train 120, val 60", "s3://lab/x/datasets/lab/published/1/coco-12345678"):
        assert line in shown
    shown = synth.read_output("status", "dataset/invalid")
    assert "Repair the source, split or export of the SynthDataset that the message names." in shown


def test_status_of_a_sweep(synth: Synth) -> None:
    shown = synth.read_output("status", "rendering")
    assert shown.startswith("rendering  Rendering\nRendering, as the operator says.\n")
    for line in ("100 of 180 exist: 60 cached, 40 rendered", "4 of 4 running", "2.5 runs a minute", "spheres-sem"):
        assert line in shown


def test_status_as_json(synth: Synth) -> None:
    shown = json.loads(synth.read_output("status", "failed", "-o", "json"))
    assert (shown["name"], shown["namespace"], shown["phase"], shown["current"]) == ("failed", "lab", "Failed", True)
    assert shown["runs"]["done"] == 157
    assert [(one["kind"], one["name"]) for one in json.loads(synth.read_output("status", "-o", "json"))] == [
        *(("SynthSweep", name) for name in sorted(SWEEPS)),
        *(("SynthDataset", name) for name in sorted(DATASETS)),
    ]
    dataset = json.loads(synth.read_output("status", "dataset/published", "-o", "json"))
    assert (dataset["phase"], dataset["version"], dataset["runs"]) == ("Published", "1", 180)


def test_watching_ends_when_the_sweep_is_over(synth: Synth) -> None:
    assert synth("status", "complete", "--watch", "-n", "lab") == (
        0,
        "Complete: 180 of 180 runs. Complete, as the operator says.\n",
        "",
    )
    code, out, _ = synth("status", "failed", "--watch", "-n", "lab")
    assert (code, out) == (1, "Failed: 157 of 180 runs, 23 failed. Failed, as the operator says.\n")


def test_failures(synth: Synth) -> None:
    shown = synth.read_output("failures", "failed")
    assert "failed: 23 runs failed\nWorkerDied 23\n" in shown
    assert f"17   WorkerDied   {SEED} = 8   the worker died 3 times" in shown
    assert "22 more are not shown; s3://lab/x/sweeps/lab/failed/dataset.json lists all" in shown
    assert json.loads(synth.read_output("failures", "failed", "-o", "json"))["failures"] == [
        FAILURE.model_dump(mode="json")
    ]
    assert synth.read_output("failures", "complete") == "complete: no run failed\n"


def test_retry_gives_a_sweep_a_new_token(synth: Synth, server: ApiServer) -> None:
    apply_object(server, "SynthSweep", "again", {"recipeRef": {"name": "spheres-sem"}}, SWEEPS["failed"])
    assert synth.read_output("retry", "again").startswith("again: 23 runs to retry (retryToken 20")
    document = json.loads(server.kubectl("get", "ss", "again", "--namespace=lab", "--output=json"))
    assert document["spec"]["retryToken"]
    assert document["metadata"]["generation"] == 2
    assert "The operator has not observed the latest edit yet." in synth.read_output("status", "again")
    server.kubectl("delete", "ss", "again", "--namespace=lab")
    code, _, error = synth("retry", "rendering", "-n", "lab")
    assert (code, error) == (
        2,
        "error: rendering: is still Rendering; retry when it is Complete or Failed\n",
    )


def test_plan_of_a_sweep(synth: Synth) -> None:
    shown = synth.read_output("plan", "rendering")
    assert shown.startswith("rendering: 180 runs\n")
    assert "0, 1, 2, …, 14" in shown
    assert "RelaxCollisions" in shown
    assert "20 of 6 runs each" in shown
    document = json.loads(synth.read_output("plan", "rendering", "-o", "json"))
    assert (document["runs"], document["done"], document["todo"]) == (180, 100, 80)


def test_a_file_takes_precedence_over_a_sweep_of_the_same_name(synth: Synth) -> None:
    (synth.folder / "rendering").mkdir()
    code, _, error = synth("gallery", "rendering")
    assert (code, error) == (2, "error: rendering: holds no dataset; run synth render first\n")


def test_watching_a_dataset_ends_when_it_is_published_or_needs_an_edit(synth: Synth) -> None:
    published = "Published: Published, as the operator says.\n"
    assert synth("status", "dataset/published", "--watch", "-n", "lab") == (0, published, "")
    code, out, _ = synth("status", "dataset/invalid", "--watch", "-n", "lab")
    assert (code, out) == (1, "Failed: Failed, as the operator says.\n")


def test_logs_of_a_dataset_are_those_of_its_pods(synth: Synth, server: ApiServer) -> None:
    code, out, error = synth("logs", "dataset/published", "-n", "lab")
    assert (code, out) == (0, "")
    assert "dataset/published has no pods with logs" in error
    labels = {"synth-operator.io/dataset": "published", "synth-operator.io/job": "export"}
    container = {"name": "export", "image": "none"}
    metadata = {"name": "published-12345678-e-0", "namespace": "lab", "labels": labels}
    server.kubectl("create", "serviceaccount", "default", "--namespace=lab")
    server.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}})
    server.kubectl(
        *("patch", "pod", metadata["name"], "--namespace=lab", "--subresource=status", "--type=merge"),
        '--patch={"status":{"phase":"Running"}}',
    )
    # No node has the pod, so its log is empty.
    assert synth("logs", "dataset/published", "--job=export", "-n", "lab") == (0, "", "")
    assert "has no pods with logs" in synth("logs", "dataset/published", "--job=publish", "-n", "lab")[2]


def test_logs_of_a_sweep_without_pods(synth: Synth) -> None:
    code, out, error = synth("logs", "complete", "-n", "lab")
    assert (code, out) == (0, "")
    assert "complete has no pods with logs" in error


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ["status", "renderin", "-n", "lab"],
            2,
            "renderin: there is no sweep of this name in namespace 'lab'; did you",
        ),
        (
            ["status", "rendering"],
            2,
            "rendering: there is no sweep of this name in namespace 'default'; the namespace has no sweeps",
        ),
        (["status", "--context=admn"], 2, "--context: the kubeconfig has no context 'admn'; did you mean 'admin'?"),
        (
            ["status", "--context=viewer"],
            2,
            "you are not allowed to do this: synthsweeps.synth-operator.io is forbidden",
        ),
        (
            ["plan", "rendering", "a=1", "-n", "lab"],
            2,
            "a=1: the sweep 'rendering' has its own axes; only a recipe file takes arguments",
        ),
        (["gallery", "rendering", "-n", "lab"], 2, "rendering: its store is unknown: it has no spec.output"),
        (["status", "--watch"], 2, "--watch needs the name of one sweep or dataset and excludes -o json"),
        (
            ["status", "dataset/publishd", "-n", "lab"],
            2,
            "dataset/publishd: there is no dataset of this name in namespace 'lab'; did you mean 'published'?",
        ),
        (["logs", "dataset/", "-n", "lab"], 2, "cannot be the name of a dataset: use lower-case letters"),
    ],
)
def test_an_error_is_one_sentence(synth: Synth, arguments: list[str], code: int, says: str) -> None:
    ended, out, error = synth(*arguments)
    assert (ended, out) == (code, "")
    assert says in error
    assert error.count("\n") == 1


def test_without_a_cluster(synth: Synth, tmp_path: Path) -> None:
    synth.environment["KUBECONFIG"] = str(tmp_path / "none")
    says = "set KUBECONFIG to a kubeconfig: no cluster is configured"
    assert synth("status") == (2, "", f"error: kubeconfig: {says}\n")
    assert synth("plan", "sphres") == (
        2,
        "",
        f"error: sphres: there is no such file or folder; to find a sweep of this name, {says}\n",
    )


def test_an_unreachable_cluster_ends_with_75(synth: Synth, server: ApiServer, tmp_path: Path) -> None:
    document = json.loads(server.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    synth.environment["KUBECONFIG"] = str(tmp_path / "kubeconfig")
    (tmp_path / "kubeconfig").write_text(json.dumps(document))
    code, _, error = synth("status")
    assert code == 75
    assert "the cluster at https://127.0.0.1:1 cannot be reached: " in error
    assert "Connection refused" in error


KEY = "0" * 64
MANIFEST = Manifest(
    key=KEY,
    engine_version=1,
    recipe={
        "synth_chain": {
            "rendering_steps": [{"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real"}]
        }
    },
    overrides={},
    seed=1,
    versions={},
    processor="x86-64",
    device="cpu",
    seconds={},
    width=4,
    height=3,
    pixel_size=None,
    depth_range=None,
    particles=2,
    visible=2,
    label_digest="0" * 64,
    started=NOW,
    finished=NOW,
    c8="0" * 8,
    files=(File(path="real.png", bytes=7, sha256="0" * 64),),
)
RUN = run_path(KEY, MANIFEST.c8)
DATASET = DatasetDocument(
    name="shown",
    namespace="lab",
    plan="a" * 64,
    attempt="b" * 64,
    folder=f"sweeps/lab/shown/{'a' * 8}/{'b' * 8}",
    total=1,
    cached=0,
    succeeded=1,
    failed=0,
    missing=0,
    failures=(),
    files=("index.html",),
    views=1,
    views_truncated=False,
    created=NOW,
)


@contextmanager
def run_bucket_with_dataset(folder: Path) -> Iterator[S3Server]:
    """Run MinIO with the bucket `lab`, prefix `x`, and one small run of the sweep `shown` in the namespace `lab`."""
    write_index(folder / "index", [], [DatasetRun(0, {}, MANIFEST, FolderStore(folder))])
    with minio_server(folder / "minio") as store:
        client = Minio(store.endpoint, store.access_key, store.secret_key, secure=False, region=store.region)
        client.make_bucket("lab")
        files = {
            "sweeps/lab/shown/dataset.json": DATASET.to_json(),
            f"{DATASET.folder}/index.html": b"page",
            f"{DATASET.folder}/index.parquet": (folder / "index").read_bytes(),
            manifest_path(KEY): MANIFEST.to_json(),
            f"{RUN}/thumb.webp": b"thumbnail",
            f"{RUN}/real.png": b"picture",
        }
        for path, content in files.items():
            (folder / "file").write_bytes(content)
            client.fput_object("lab", f"x/{path}", str(folder / "file"))
        yield store


def test_the_gallery_of_a_sweep_is_read_with_the_sweeps_secret(synth: Synth, server: ApiServer) -> None:
    with run_bucket_with_dataset(synth.folder) as store:
        output = {"bucket": "lab", "prefix": "x", "insecure": True, "secretRef": {"name": "store"}}
        spec = {"recipeRef": {"name": "spheres-sem"}, "output": output | {"endpoint": "store.invalid:9000"}}
        apply_object(server, "SynthSweep", "shown", spec, SWEEPS["complete"])
        code, _, error = synth("gallery", "shown", "-n", "lab")
        assert (code, error) == (
            2,
            "error: output: there is no Secret 'store' in namespace 'lab'; create it, or set AWS_ACCESS_KEY_ID\n",
        )
        keys = {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key}
        literals = [f"--from-literal={key}={value}" for key, value in keys.items()]
        server.kubectl("create", "secret", "generic", "store", "--namespace=lab", *literals)
        code, _, error = synth("gallery", "shown", "-n", "lab")
        assert (code, "if only pods reach it, forward a port and give --endpoint" in error) == (75, True)
        code, out, _ = synth("gallery", "shown", "-n", "lab", f"--endpoint={store.endpoint}")
        assert (code, out) == (0, f"shown-gallery/{DATASET.folder}/index.html\n")
        run = synth.folder / "shown-gallery" / RUN
        assert [path.name for path in run.iterdir()] == ["thumb.webp"]
        code, _, _ = synth("gallery", "shown", "-n", "lab", f"--endpoint={store.endpoint}", "--pictures")
        assert sorted(path.name for path in run.iterdir()) == ["real.png", "thumb.webp"]
        assert (run / "real.png").read_bytes() == b"picture"
        code, out, _ = synth("verify", "shown", "-n", "lab", f"--endpoint={store.endpoint}")
        fault = (
            f"s3://lab/x/{DATASET.folder}: expected a document of a dataset, found one that cannot be read (the attempt"
        )
        assert (code, out.startswith(fault)) == (1, True)
        code, _, error = synth("gallery", "shown", "-n", "lab", f"--endpoint={store.endpoint}", "--watch")
        assert (code, error) == (2, "error: shown: has nothing in s3://lab/x yet; call again when it is planned\n")
        synth.environment |= {"AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
        code, _, error = synth("gallery", "shown", "-n", "lab", f"--endpoint={store.endpoint}")
        assert (code, "denies access to bucket 'lab'" in error) == (75, True)
        assert "wrong-secret" not in error
    server.kubectl("delete", "ss", "shown", "--namespace=lab")
