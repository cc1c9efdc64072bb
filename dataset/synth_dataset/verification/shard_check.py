"""Check of the shards of a store: indexes that cannot be read, and tar files that their indexes do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.shard_index import compute_tar_bytes, parse_index
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.verification.fault import Fault, explain_remedy
from synth_dataset.verification.stored_files import describe_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_dataset.store.base import Store

_REMEDY: Final = "synth verify --repair writes it again from its tar file"


@dataclass(frozen=True)
class BrokenShard:
    """A shard whose tar file is missing, or has another size than its index says: its runs do not exist."""

    address: str
    """Of the tar file."""
    bytes: int
    """Size that it should have."""
    found: int | None
    """Size that it has; None without a tar file."""
    keys: NDArray[np.bytes_]
    """Sorted keys (N,) of its runs, of type S32."""

    def contains(self, key: str) -> bool:
        """Return True if the index names a run."""
        wanted = np.array(bytes.fromhex(key), self.keys.dtype)
        at = int(np.searchsorted(self.keys, wanted))
        return at < len(self.keys) and bool(self.keys[at] == wanted)


@dataclass(frozen=True)
class ShardCheck:
    """What is wrong with the shards of a store."""

    faults: tuple[Fault, ...] = ()
    """Of indexes that cannot be read; with one of them no run can be looked up."""
    broken: tuple[BrokenShard, ...] = ()

    def find_fault(self, run: int, key: str) -> Fault | None:
        """Return the fault of a run that is missing with its shard; None if no broken shard has it."""
        shard = next((shard for shard in self.broken if shard.contains(key)), None)
        if shard is None:
            return None
        return describe_size(shard.address, shard.bytes, shard.found, explain_remedy(run), run)


def check_shards(store: Store) -> ShardCheck:
    """Look at the shards of a store; their indexes are read. Raises StoreError."""
    sizes = store.list_sizes(layout.SHARDS)
    found = list(
        read_ahead(lambda name: _check_shard(store, name, sizes), layout.list_shards(sizes), store.max_requests)
    )
    return ShardCheck(
        tuple(each for each in found if isinstance(each, Fault)),
        tuple(each for each in found if isinstance(each, BrokenShard)),
    )


def _check_shard(store: Store, name: str, sizes: dict[str, int]) -> Fault | BrokenShard | None:
    """Return what is wrong with a shard; nothing of one that was just removed."""
    path = layout.shard_index_path(name)
    address = store.format_uri(path)
    try:
        index = parse_index(store.read(path), address)
    except FileNotFoundError:
        return None
    except DocumentError:
        return Fault(address, "the index of a shard", "a file that cannot be read", _REMEDY)
    tar = layout.shard_path(name)
    expected, size = compute_tar_bytes(index), sizes.get(tar.rpartition("/")[2])
    return None if size == expected else BrokenShard(store.format_uri(tar), expected, size, index["key"].copy())
