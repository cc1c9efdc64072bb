from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys

import pytest

from synth_api.errors import InputError
from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
from synth_dataset.documents.run_manifest import Manifest
from synth_dataset.store.checksums import hash_files
from synth_dataset.store.folder_store import FolderStore, StoreFullError

KEY = "ab" * 32

# A process that puts one run and kills itself before its n-th call that changes the disk.
CRASH = """
import os, signal, sys
from pathlib import Path
from synth_dataset.documents.run_manifest import RunRecord
from synth_dataset.store.folder_store import FolderStore
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
with store.open_scratch(record.key) as folder:
    (folder / "real.png").write_bytes(b"pixels")
    store.commit_run(folder, record)
"""


def holds(store: FolderStore, manifest: Manifest) -> bool:
    return hash_files(store.run_folder(manifest)) == manifest.files


def test_a_committed_run_is_found_with_its_files(store, put):
    assert not store.has_run(KEY)
    manifest = put(KEY)
    assert store.has_run(KEY)
    assert store.read_manifest(KEY) == manifest
    assert [file.path for file in manifest.files] == ["real.png", "stl/00001.stl"]
    assert store.run_folder(manifest) == store.root / "runs" / "ab" / KEY / manifest.c8
    assert holds(store, manifest)
    assert list(store.iterate_keys()) == [KEY]
    assert list((store.root / "scratch").iterdir()) == []


def test_a_damaged_folder_of_the_same_name_is_replaced(store, put):
    manifest = put(KEY)
    (store.run_folder(manifest) / "real.png").write_bytes(b"")
    assert holds(store, put(KEY))


def test_scratch_vanishes_when_the_run_fails(store):
    with contextlib.suppress(RuntimeError), store.open_scratch(KEY) as folder:
        (folder / "half.png").write_bytes(b"x")
        raise RuntimeError("engine")
    assert not folder.exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store, put):
    other = put("cd" * 32)
    with (
        pytest.raises(StoreFullError, match="no space is left in the dataset folder") as caught,
        store.open_scratch(KEY),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.errno == errno.ENOSPC
    assert not store.has_run(KEY)
    assert holds(store, other)


def test_a_full_disk_while_a_file_is_written_is_one_sentence_and_leaves_nothing(store):
    def fill_disk():
        yield b"first"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreFullError, match="no space is left in the dataset folder"):
        store.write("export/images.json", fill_disk())
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


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
        if crashed.has_run(KEY):
            assert holds(crashed, crashed.read_manifest(KEY))
        if process.returncode == 0:
            assert step > 10
            return
        assert process.returncode == -9
        with crashed.open_scratch(KEY) as folder:
            (folder / "real.png").write_bytes(b"pixels")
            manifest = crashed.commit_run(folder, record_of(KEY))
        assert holds(crashed, manifest)
    pytest.fail("never finished")


def test_objects_younger_than_a_day_are_kept(store, put):
    key = "ee" * 32
    manifest = put(key)
    path = store.root / "manifests" / "ee" / f"{key}.json"
    os.utime(path, (0, 0))
    remove_garbage(store, find_garbage(store))
    assert not store.has_run(key)
    assert store.run_folder(manifest).exists()


def refuse(monkeypatch, name, number, is_refused):
    """A file system that refuses a call of `os` for some arguments."""
    original = getattr(os, name)

    def call(*arguments, **options):
        if is_refused(*arguments):
            raise OSError(number, os.strerror(number))
        return original(*arguments, **options)

    monkeypatch.setattr(os, name, call)


def is_folder(handle):
    return stat.S_ISDIR(os.fstat(handle).st_mode)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES])
def test_a_file_system_that_cannot_flush_folders_holds_a_store(store, put, monkeypatch, number):
    refuse(monkeypatch, "fsync", number, is_folder)
    store.check_writable()
    assert store.read_manifest(put(KEY).key).files
    store.write("sweeps/local/beads/dataset.json", b"{}")
    store.remove_files(["sweeps/local/beads/dataset.json"])


def test_a_disk_that_fails_is_not_taken_for_one_that_cannot_flush(store, monkeypatch):
    refuse(monkeypatch, "fsync", errno.EIO, lambda _: True)
    with pytest.raises(OSError, match="Input/output error"):
        store.write("file", b"x")


def test_a_file_system_without_rights_holds_a_store(store, put, monkeypatch):
    refuse(monkeypatch, "chmod", errno.EPERM, lambda *_: True)
    assert store.read_manifest(put(KEY).key).files
    store.write("file", b"x")


@pytest.mark.parametrize(
    ("name", "need"),
    [("replace", "replace a file, which a store needs"), ("rename", "rename a folder, which a store needs")],
)
def test_an_unsuitable_file_system_is_reported_before_rendering(store, monkeypatch, name, need):
    refuse(monkeypatch, name, errno.ENOTSUP, lambda *_: True)
    with pytest.raises(InputError) as refused:
        store.check_writable()
    assert str(refused.value) == (
        f"{store.root}: the dataset folder cannot {need} (Operation not supported); choose another with --out"
    )
    assert list(store.iterate_files("scratch")) == []


def test_files_and_folders_have_the_rights_of_the_umask(store, put):
    before = os.umask(0o002)
    try:
        manifest = put(KEY)
        store.write("sweeps/local/beads/dataset.json", b"{}")
        store.new_scratch("workers")
    finally:
        os.umask(before)
    assert store.run_folder(manifest).is_dir()
    for path in store.root.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o775 if path.is_dir() else 0o664), path


def test_an_unwritable_folder_is_reported_with_the_remedy_of_the_caller(store, monkeypatch):
    refuse(monkeypatch, "mkdir", errno.EROFS, lambda *_: True)
    with pytest.raises(InputError, match=r"cannot be written \(Read-only file system\); its page is p$"):
        store.check_writable("its page is p")


def test_a_run_folder_that_a_second_commit_keeps_is_young_again(store, put):
    folder = store.run_folder(put(KEY))
    os.utime(folder, (0, 0))
    store.remove_files([f"manifests/ab/{KEY}.json"])
    put(KEY)
    assert not find_garbage(store).folders
    assert folder.stat().st_mtime > 0
