"""A process that packs runs of a folder is killed by SIGKILL before each of its calls that change the disk."""

from __future__ import annotations

import os
import signal

from synth_dataset.documents import layout
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import pack_runs

KEYS = ["ab" * 32, "cd" * 32, "ef" * 32]


def pack_and_die(store, changes):
    """Pack in a child process that kills itself before its n-th change; return the signal, 0 if it ended before."""
    child = os.fork()
    if not child:
        left = [changes]
        for name in ("mkdir", "rename", "replace", "fsync", "unlink", "rmdir"):
            call = getattr(os, name)

            def dying(*arguments, call=call, **options):
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return call(*arguments, **options)

            setattr(os, name, dying)
        pack_runs(store, store, KEYS)
        os._exit(0)
    return os.waitpid(child, 0)[1] & 0x7F


def test_each_run_exists_whole_whenever_the_packer_is_killed(store, put):
    manifests = {key: put(key, key.encode()) for key in KEYS}
    outcomes, changes, ended = set(), 0, False
    while not ended:
        for key in KEYS:
            put(key, key.encode())
            store.write(layout.manifest_path(key), manifests[key].to_json())
        ended = pack_and_die(store, changes) == 0
        again = FolderStore(store.root)
        plain = [key for key in KEYS if again.has_plain_run(key)]
        outcomes.add((len(plain), len(again.shards.names)))
        assert sorted(again.iterate_keys()) == KEYS
        for key, manifest in manifests.items():
            assert again.read_manifest(key) == manifest
            assert again.find_fault(manifest) is None
            assert again.read(f"{layout.run_path(key, manifest.c8)}/real.png") == key.encode()
        pack_runs(again, again, plain)
        assert list(again.iterate_plain_keys()) == []
        assert sorted(again.iterate_keys()) == KEYS
        again.remove_folder(layout.SHARDS)
        changes += 1
    assert {(3, 0), (3, 1), (2, 1), (1, 1), (0, 1)} <= outcomes, "before the index, and after each manifest"
    assert changes > 20
