from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from synth_dataset.folder_store import FolderStore
from synth_dataset.manifest import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def record(key: str) -> RunRecord:
    return RunRecord(
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


@dataclass(frozen=True)
class FakeAxis:
    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class FakeSweep:
    axes: tuple[FakeAxis, ...]
    name: str = "beads"

    def key(self, run: int) -> str:
        return sha256(str(self.axes[0].values[run]).encode()).hexdigest()

    def keys(self) -> Iterator[bytes]:
        for run in range(len(self.axes[0].values)):
            yield bytes.fromhex(self.key(run))

    def plan(self) -> str:
        return sha256(repr(self.axes).encode()).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def sweep_of():
    return lambda *seeds: FakeSweep((FakeAxis("initial_runtime_state.seed", seeds),))


@pytest.fixture
def record_of():
    return record


@pytest.fixture
def put(store: FolderStore):
    def put_run(key: str, content: bytes = b"pixels"):
        with store.scratch(key) as folder:
            (folder / "real.png").write_bytes(content)
            (folder / "stl").mkdir()
            (folder / "stl" / "00001.stl").write_bytes(b"mesh")
            return store.commit(folder, record(key))

    return put_run
