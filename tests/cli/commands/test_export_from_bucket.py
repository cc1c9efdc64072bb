"""`synth export` and `synth dataset build` with buckets, and with the name of a sweep on a cluster, on a real MinIO."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from disc_datasets import DiscSweep, render_discs
from minio import Minio
from servers import S3Server, minio_server

from synth_api.resources.output import Output, SecretRef
from synth_api.resources.synth_sweep import Phase, SweepSpec, SweepStatus
from synth_cli.cluster import connection
from synth_cli.cluster.cluster_sweep import ClusterSweep
from synth_cli.main import run
from synth_dataset.store.s3_store import S3Store

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """MinIO with two sweeps of discs below `s3://lab/store`."""
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        client = Minio(server.endpoint, server.access_key, server.secret_key, secure=False, region=server.region)
        client.make_bucket("lab")
        store = S3Store(output_of(server), environment=keys_of(server))
        for name, seeds in (("one", (0, 1)), ("two", (2,))):
            render_discs(store, DiscSweep(name=name, seeds=seeds))
        yield server


def output_of(server: S3Server, **fields: object) -> Output:
    return Output(endpoint=server.endpoint, bucket="lab", prefix="store", insecure=True, **fields)


def keys_of(server: S3Server) -> dict[str, str]:
    return dict(zip(NAMES, (server.access_key, server.secret_key), strict=True))


@pytest.fixture
def keys(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the bucket in the environment, as users give them to a command."""
    for name, value in keys_of(server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{server.endpoint}")


def read_tree(server: S3Server, prefix: str) -> dict[str, bytes]:
    client = Minio(server.endpoint, server.access_key, server.secret_key, secure=False, region=server.region)
    names = [one.object_name or "" for one in client.list_objects("lab", f"{prefix}/", recursive=True)]
    return {name.removeprefix(f"{prefix}/"): client.get_object("lab", name).read() for name in names}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bucket_is_exported_to_a_folder_and_to_a_bucket(server: S3Server, keys, tmp_path: Path, capsys) -> None:
    words = ["export", "s3://lab/store", "--name", "one", "--name", "two", "--format", "coco", "--out"]
    assert run([*words, str(tmp_path / "out")]) == 0
    assert run([*words, "s3://lab/exports/coco"]) == 0
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .endswith("COCO('s3://lab/exports/coco/annotations/instances_train.json')")
    )
    local = files_of(tmp_path / "out")
    assert read_tree(server, "exports/coco") == local
    assert json.loads(local["dataset.json"])["runs"] == 6


def test_a_bucket_without_the_dataset_is_named(server: S3Server, keys, tmp_path: Path, capsys) -> None:
    words = ["export", "s3://lab/store", "--name", "three", "--format", "coco", "--out", str(tmp_path / "out")]
    assert run(words) == 2
    assert "s3://lab/store: holds no dataset 'three'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class TrialCluster:
    """A namespace with one sweep whose Secret has the keys of the bucket."""

    def __init__(self, server: S3Server, phase: Phase) -> None:
        self._server = server
        self._phase = phase

    def read_sweep(self, name: str) -> ClusterSweep:
        spec = SweepSpec(output=output_of(self._server, secret_ref=SecretRef(name="store")))
        # Disc datasets are in the namespace `local`.
        return ClusterSweep("local", name, 1, datetime(2030, 1, 1, tzinfo=UTC), spec, SweepStatus(phase=self._phase))

    def read_secret(self, name: str) -> dict[str, bytes]:
        assert name == "store"
        return {name: value.encode() for name, value in keys_of(self._server).items()}


@pytest.fixture
def cluster(server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Makes the sweeps of a cluster be in a phase; the environment has no keys."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)

    def answer(phase: Phase) -> None:
        monkeypatch.setattr(connection, "connect_for_sweep", lambda *_: TrialCluster(server, phase))

    return answer


def test_a_sweep_is_exported_by_its_name_with_the_keys_of_its_secret(cluster, tmp_path: Path, capsys) -> None:
    cluster(Phase.COMPLETE)
    assert run(["export", "one", "-n", "lab", "--format", "yolo", "--out", "yolo"]) == 0
    document = json.loads((tmp_path / "yolo/dataset.json").read_bytes())
    assert (document["name"], document["runs"]) == ("one", 4)
    assert capsys.readouterr().out.endswith("check_det_dataset('yolo/data.yaml')\n")


def test_a_sweep_without_a_dataset_has_none_yet(cluster, tmp_path: Path, capsys) -> None:
    cluster(Phase.RENDERING)
    assert run(["export", "three", "-n", "lab", "--format", "coco", "--out", "out"]) == 2
    assert "three: has no dataset yet, it is Rendering; call again when a dataset is com" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


FILE = """
apiVersion: synth-operator.io/v1alpha1
kind: SynthDataset
metadata: {name: discs, namespace: lab}
spec:
  version: "1"
  sources: [{sweepRef: {name: one}}, {sweepRef: {name: two}}]
  exports: [{format: pairs}, {format: huggingface}]
"""


def test_a_version_is_built_from_a_bucket_in_the_bucket(server: S3Server, keys, tmp_path: Path, capsys) -> None:
    (tmp_path / "discs.yaml").write_text(FILE)
    words = ["dataset", "build", str(tmp_path / "discs.yaml"), "--store", "s3://lab/store"]
    assert run([*words, "--workers", "2"]) == 0
    assert "load_dataset('s3://lab/store/datasets/lab/discs/1/huggingface-" in capsys.readouterr().out
    assert run([*words, "--workers", "1", "--out", str(tmp_path / "local")]) == 0
    assert read_tree(server, "store/datasets") == files_of(tmp_path / "local/datasets")
