"""A dataset in a bucket reads as that in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path

import pytest

from synth_reader import Dataset, DatasetError, open_dataset

minio = pytest.importorskip("minio", reason="the tests of a wheel have no S3 server")
BUCKET = "bucket"


@pytest.fixture(scope="module")
def bucket(stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of copies of the stores `one` and `packed`; the environment has endpoint and keys."""
    from servers import ACCESS_KEY, SECRET_KEY, minio_server

    with minio_server(tmp_path_factory.mktemp("server")) as server, pytest.MonkeyPatch.context() as patch:
        client = minio.Minio(server.endpoint, ACCESS_KEY, SECRET_KEY, secure=False)
        client.make_bucket(BUCKET)
        for name, prefix in (("one", "team/a"), ("packed", "team/packed")):
            for path in (stores / name).rglob("*"):
                if path.is_file():
                    client.fput_object(BUCKET, f"{prefix}/{path.relative_to(stores / name).as_posix()}", str(path))
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://{server.endpoint}")
        yield f"s3://{BUCKET}/team/a"


def assert_equal(found: Dataset, other: Dataset) -> None:
    assert [run.meta for run in found] == [run.meta for run in other]
    assert [run.image.tolist() for run in found] == [run.image.tolist() for run in other]
    assert [run.instances.tolist() for run in found] == [run.instances.tolist() for run in other]
    assert all(run.particles.equals(same.particles) for run, same in zip(found, other, strict=True))


def test_a_dataset_in_a_bucket_is_that_in_a_folder(bucket: str, stores: Path) -> None:
    assert_equal(open_dataset(bucket), open_dataset(stores / "one"))
    assert_equal(open_dataset(f"{bucket}/", split="test"), open_dataset(stores / "one", split="test"))
    assert_equal(open_dataset(f"s3://{BUCKET}/team/packed"), open_dataset(stores / "one"))


@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_workers_of_a_loader_read_from_a_bucket(bucket: str, start: str) -> None:
    runs = list(open_dataset(bucket))
    here = [run.instances.tolist() for run in runs]
    with ProcessPoolExecutor(2, mp_context=get_context(start)) as workers:
        found = workers.map(attrgetter("instances"), list(open_dataset(bucket)))
        assert [ids.tolist() for ids in found] == here


def test_a_prefix_without_a_dataset_is_an_error(bucket: str) -> None:
    with pytest.raises(DatasetError, match=r"^s3://bucket/team: holds no dataset; give the folder or bucket"):
        open_dataset(f"s3://{BUCKET}/team")


def test_a_wrong_key_is_an_error_without_the_key(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-key")
    with pytest.raises(DatasetError, match=r"^s3://bucket/team/a: cannot be read: ") as caught:
        open_dataset(bucket)
    assert "wrong-secret-key" not in str(caught.value)


def test_an_unreachable_store_is_an_error(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(DatasetError, match=r"^s3://bucket/team/a: cannot be read: "):
        open_dataset(bucket)
