"""Packing of the runs of a sweep into shards, once they are rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_cli.terminal.consoles import open_stderr
from synth_cli.terminal.progress import QUIET_SECONDS, open_meter
from synth_dataset.documents import layout
from synth_dataset.store.packing import Packer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synth_cli.local.interrupts import Interrupts
    from synth_dataset.store.base import Store


def pack_sweep(store: Store, keys: NDArray[np.bytes_], stop: Interrupts) -> int:
    """Pack the runs among `keys` (N,), of type S32, that exist as files: also those of calls before, stopped or not.

    Return their number. A signal ends it between two shards. Raises StoreFullError.
    """
    store.shards.refresh()
    plain = keys[store.find_plain_runs(keys)]
    packer = Packer(store, store)
    with open_meter(open_stderr(), "packing", len(plain), "run", QUIET_SECONDS) as meter:
        for key in map(layout.format_key, plain):
            packer.add(key, store.measure_usage(layout.files_path(key)).bytes)
            if packer.is_due:
                packer.pack()
                if stop.count:
                    break
            meter.advance()
        else:
            packer.pack()
    return len(plain)
