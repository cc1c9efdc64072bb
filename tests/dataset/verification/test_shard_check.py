"""Damage to shards: the sentence that names it, and what restores an index."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from damaged_datasets import (
    DEEP,
    FULL,
    QUICK,
    RENDERS,
    list_faults,
)
from disc_datasets import DiscSweep, pack_discs, render_discs

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.store.shard_repair import restore_indexes
from synth_dataset.verification.depth import Depth


@pytest.fixture
def packed(source: DatasetSource) -> DatasetSource:
    """All runs in one shard."""
    return pack_discs(source)


def find_shard(source: DatasetSource, extension: str) -> Path:
    (path,) = (source.store.root / "shards").glob(f"*.{extension}")
    return path


def change_tar(source: DatasetSource, name: str) -> str:
    """Flip a byte in a member of run 1 and return its path in the tar file."""
    key = next(row["key"] for row in source.iterate_rows(("run", "key")) if row["run"] == 1)
    tar = find_shard(source, "tar")
    content = bytearray(tar.read_bytes())
    with tarfile.open(tar) as archive:
        member = next(one for one in archive if key in one.name and one.name.endswith(name))
    content[member.offset_data + member.size // 2] ^= 1
    tar.write_bytes(content)
    return member.name


def test_a_flipped_byte_of_a_packed_run(packed: DatasetSource) -> None:
    path = change_tar(packed, "/real.png")
    (sentence,) = list_faults(packed, FULL)
    assert sentence.startswith(f"shards/{find_shard(packed, 'tar').name} ({path}): expected sha256 ")
    assert sentence.endswith(f"…; {RENDERS}")
    assert list_faults(packed, QUICK) == []


def test_a_damaged_manifest_of_a_packed_run(packed: DatasetSource) -> None:
    tar = find_shard(packed, "tar")
    tar.write_bytes(tar.read_bytes().replace(b'"engine_version": 1', b'"engine_version": x'))
    faults = list_faults(packed, QUICK)
    assert len(faults) == 6
    (sentence,) = (fault for fault in faults if "manifest of run 1," in fault)
    assert sentence.startswith(f"shards/{tar.name} (manifests/")
    assert sentence.endswith(f"; {RENDERS}")


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_shard_whose_tar_file_is_missing_or_cut(packed: DatasetSource, depth: Depth) -> None:
    tar = find_shard(packed, "tar")
    content = tar.read_bytes()
    tar.write_bytes(content[:-512])
    expected = f"shards/{tar.name}: expected {len(content):,} bytes, found"
    remedies = [f"synth verify --repair renders run {run} again" for run in range(6)]
    assert list_faults(packed, depth) == [f"{expected} {len(content) - 512:,} bytes; {remedy}" for remedy in remedies]
    tar.unlink()
    assert list_faults(packed, depth) == [f"{expected} nothing; {remedy}" for remedy in remedies]


def test_shards_of_other_datasets_are_no_fault_of_this_one(packed: DatasetSource) -> None:
    render_discs(packed.store, DiscSweep("more", seeds=(7,)))
    other = pack_discs(packed)
    for tar in (packed.store.root / "shards").glob("*.tar"):
        if tar != find_shard_of(packed, 1):
            tar.unlink()
    assert list_faults(other, FULL) == []


def find_shard_of(source: DatasetSource, number: int) -> Path:
    key = next(row["key"] for row in source.iterate_rows(("run", "key")) if row["run"] == number)
    run = source.store.shards.find(key)
    assert run is not None
    return source.store.root / run.tar


def test_an_index_of_a_shard_that_is_damaged(packed: DatasetSource) -> None:
    index = find_shard(packed, "parquet")
    index.write_bytes(index.read_bytes()[:-9])
    remedy = "synth verify --repair writes it again from its tar file"
    sentence = f"shards/{index.name}: expected the index of a shard, found a file that cannot be read; {remedy}"
    assert list_faults(packed, FULL) == [sentence]


def test_an_index_of_a_shard_is_written_again_from_its_tar_file(packed: DatasetSource) -> None:
    index = find_shard(packed, "parquet")
    content = index.read_bytes()
    assert restore_indexes(packed.store) == {}
    index.write_bytes(content[:-9])
    assert restore_indexes(packed.store) == {f"shards/{index.name}": True}
    assert index.read_bytes() == content
    assert list_faults(packed, DEEP) == []


@pytest.mark.parametrize("damage", ["cut", "manifest", "gone"])
def test_an_index_that_its_tar_file_cannot_give_is_removed(packed: DatasetSource, damage: str) -> None:
    index, tar = find_shard(packed, "parquet"), find_shard(packed, "tar")
    index.write_bytes(b"PAR1")
    content = tar.read_bytes()
    damaged = content.replace(b'"seed": 0', b'"seed": 9') if damage == "manifest" else content[:-1024]
    assert damaged != content
    tar.write_bytes(damaged)
    if damage == "gone":
        tar.unlink()
    assert restore_indexes(packed.store) == {f"shards/{index.name}": False}
    assert not index.exists()
    assert len(list_faults(packed, QUICK)) == 6
