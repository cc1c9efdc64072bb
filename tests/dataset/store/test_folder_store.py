from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys

import pytest

from synth_api.errors import InputError
from synth_dataset.checksums import hash_files
from synth_dataset.folder_store import FolderStore, StoreFullError
from synth_dataset.gc import find_garbage, remove_garbage
from synth_dataset.manifest import Manifest

KEY = "ab" * 32

# A process that puts one run and kills itself before its n-th call that changes the disk.
CRASH = """
import os, signal, sys
from pathlib import Path
from synth_dataset.manifest import RunRecord
from synth_dataset.folder_store import FolderStore
left = int(sys.argv[2])
def dying(call):
    def wrapped(*args, **kwargs):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return call(*args, **kwargs)
    return wrapped
record = RunRecord.model_validate_json(sys.stdin.read())
for name in ("mkdir", "rename", "replace", "fsync", "chmod", "fdopen"):
    setattr(os, name, dying(getattr(os, name)))
store = FolderStore(Path(sys.argv[1]))
with store.scratch(record.key) as folder:
    (folder / "real.png").write_bytes(b"pixels")
    store.commit(folder, record)
"""


def holds(store: FolderStore, manifest: Manifest) -> bool:
    return hash_files(store.run_folder(manifest)) == manifest.files


def test_a_committed_run_is_found_with_its_files(store, put):
    assert not store.has(KEY)
    manifest = put(KEY)
    assert store.has(KEY)
    assert store.manifest(KEY) == manifest
    assert [file.path for file in manifest.files] == ["real.png", "stl/00001.stl"]
    assert store.run_folder(manifest) == store.root / "runs" / "ab" / KEY / manifest.c8
    assert holds(store, manifest)
    assert list(store.keys()) == [KEY]
    assert list((store.root / "scratch").iterdir()) == []


def test_a_damaged_folder_of_the_same_name_is_replaced(store, put):
    manifest = put(KEY)
    (store.run_folder(manifest) / "real.png").write_bytes(b"")
    assert holds(store, put(KEY))


def test_scratch_vanishes_when_the_run_fails(store):
    with contextlib.suppress(RuntimeError), store.scratch(KEY) as folder:
        (folder / "half.png").write_bytes(b"x")
        raise RuntimeError("engine")
    assert not folder.exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store, put):
    other = put("cd" * 32)
    with pytest.raises(StoreFullError, match="no space is left in the dataset folder") as caught, store.scratch(KEY):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.errno == errno.ENOSPC
    assert not store.has(KEY)
    assert holds(store, other)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: the dataset folder cannot be written \(.*\); choose another"):
        FolderStore(tmp_path / "file").check_writable()


def test_killed_at_any_step_there_is_no_manifest_without_files(tmp_path, record_of, put, store):
    text = record_of(KEY).model_dump_json()
    for step in range(60):
        crashed = FolderStore(tmp_path / str(step))
        process = subprocess.run(
            [sys.executable, "-c", CRASH, str(crashed.root), str(step)], input=text, text=True, check=False
        )
        if crashed.has(KEY):
            assert holds(crashed, crashed.manifest(KEY))
        if process.returncode == 0:
            assert step > 10
            return
        assert process.returncode == -9
        with crashed.scratch(KEY) as folder:
            (folder / "real.png").write_bytes(b"pixels")
            manifest = crashed.commit(folder, record_of(KEY))
        assert holds(crashed, manifest)
    pytest.fail("never finished")


def test_what_is_younger_than_a_day_stays(store, put):
    key = "ee" * 32
    manifest = put(key)
    path = store.root / "manifests" / "ee" / f"{key}.json"
    os.utime(path, (0, 0))
    remove_garbage(store, find_garbage(store))
    assert not store.has(key)
    assert store.run_folder(manifest).exists()
