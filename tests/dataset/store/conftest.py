from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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

    def key(self, run: int) -> str:
        return sha256(str(self.axes[0].values[run]).encode()).hexdigest()

    def keys(self) -> Iterator[bytes]:
        for run in range(len(self.axes[0].values)):
            yield bytes.fromhex(self.key(run))

    def words(self, run: int) -> str:
        return f"{self.axes[0].path}={self.axes[0].values[run]}"

    def plan(self) -> str:
        return sha256(repr(self.axes).encode()).hexdigest()


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
        with store.scratch(key) as folder:
            (folder / "real.png").write_bytes(content)
            (folder / "stl").mkdir()
            (folder / "stl" / "00001.stl").write_bytes(b"mesh")
            return store.commit(folder, record_of(key))

    return put_run
