from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from minio import Minio
from servers import add_tenant, minio_server, seaweed_server

from synth_api.dataset_card import DatasetCard
from synth_api.recipe.categories import ParticleCategory
from synth_api.resources.output import Output
from synth_dataset.documents.run_manifest import RunRecord
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.s3_policy import build_policy
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers import S3Server

    from synth_dataset.store.base import Store


@dataclass(frozen=True)
class FakeAxis:
    path: str
    values: tuple[Any, ...]
    zipped: bool = False


@dataclass(frozen=True)
class FakeSweep:
    axes: tuple[FakeAxis, ...]
    name: str = "beads"
    particle_blueprints: tuple[str, ...] = ()
    card: DatasetCard = DatasetCard()  # noqa: RUF009
    base: dict[str, Any] | None = None

    @property
    def categories(self) -> tuple[ParticleCategory, ...]:
        return tuple(ParticleCategory(name, "particle", (name,)) for name in self.particle_blueprints)

    def key(self, run: int) -> str:
        return sha256(str(self.axes[0].values[run]).encode()).hexdigest()

    def keys(self) -> Iterator[bytes]:
        for run in range(len(self.axes[0].values)):
            yield bytes.fromhex(self.key(run))

    def describe_run(self, run: int) -> str:
        return f"{self.axes[0].path}={self.axes[0].values[run]}"

    def plan(self) -> str:
        return sha256(repr(self.axes).encode()).hexdigest()


BUCKET = "datasets"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def record(key: str, **changes: Any) -> RunRecord:
    plain = RunRecord(
        key=key,
        engine_version=1,
        recipe={"seed": 1},
        overrides={"seed": 1},
        seed=1,
        versions={"python": "3.11"},
        processor="x86-64",
        device="cpu",
        seconds={"physics": 1.5, "labels": 0.5},
        width=4,
        height=3,
        pixel_size=0.1,
        depth_range=(1.0, 2.0),
        particles=3,
        visible=2,
        label_digest="0" * 64,
        started=NOW,
        finished=NOW,
    )
    return plain.model_copy(update=changes)


def output_of(server: S3Server, folder: str = "test", bucket: str = BUCKET) -> Output:
    """Return an output in the folder `test` or below it, which the policy of the tests covers."""
    prefix = folder if folder.startswith("test") else f"test/{folder}"
    return Output(endpoint=server.endpoint, bucket=bucket, prefix=prefix, region=server.region, insecure=True)


def credentials_of(server: S3Server) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}


def make_bucket(server: S3Server) -> S3Server:
    client = Minio(server.endpoint, server.access_key, server.secret_key, secure=False, region=server.region)
    if not client.bucket_exists(BUCKET):
        client.make_bucket(BUCKET)
    return server


@pytest.fixture(scope="session")
def minio(tmp_path_factory) -> Iterator[S3Server]:
    """MinIO with the keys of a user whose policy is that of the namespace `test`."""
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        make_bucket(server)
        server.access_key, server.secret_key = add_tenant(server.endpoint, build_policy(BUCKET, ["test"]))
        yield server


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory) -> Iterator[S3Server]:
    with seaweed_server(tmp_path_factory.mktemp("seaweed")) as server:
        yield make_bucket(server)


@pytest.fixture
def bucket(minio: S3Server) -> Output:
    """A place of its own in MinIO."""
    return output_of(minio, f"test/{uuid4()}")


@pytest.fixture
def minio_store(bucket: Output, minio: S3Server) -> S3Store:
    return S3Store(bucket, environment=credentials_of(minio))


@pytest.fixture
def seaweed_store(seaweed: S3Server) -> S3Store:
    return S3Store(output_of(seaweed, f"test/{uuid4()}"), environment=credentials_of(seaweed))


@pytest.fixture
def record_of():
    return record


@pytest.fixture
def output_in():
    return output_of


@pytest.fixture
def credentials():
    return credentials_of


@pytest.fixture(scope="session")
def with_bucket():
    return make_bucket


@pytest.fixture(params=["folder", "minio", "seaweed"])
def each_store(request, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def sweep_of():
    return lambda *seeds: FakeSweep((FakeAxis("initial_runtime_state.seed", seeds),))


@pytest.fixture
def put(store: Store, record_of):
    def put_run(key: str, content: bytes = b"pixels"):
        with store.open_scratch(key) as folder:
            (folder / "real.png").write_bytes(content)
            (folder / "stl").mkdir()
            (folder / "stl" / "00001.stl").write_bytes(b"mesh")
            return store.commit_run(folder, record_of(key))

    return put_run


@pytest.fixture
def full_disk(tmp_path: Path) -> Path:
    """A file that takes no byte. A link, for pyarrow removes what it could not write: it must not be the device."""
    path = tmp_path / "full"
    path.symlink_to("/dev/full")
    return path
