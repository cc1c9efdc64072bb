"""Root digest of a dataset: equal for datasets with the same runs, whatever their order."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from synth_dataset.documents.run_manifest import Manifest

_KEY_BYTES: Final = 32
_C8_BYTES: Final = 4
_RECORD_BYTES: Final = _KEY_BYTES + _C8_BYTES + 32


class RootDigest:
    """The sha256 over lines `<key>  <c8>  <label_digest>` of runs, sorted; holds 68 bytes per run."""

    def __init__(self) -> None:
        self._records = bytearray()

    def add(self, manifest: Manifest) -> None:
        """Add a run by its manifest, in any order."""
        self.add_run(manifest.key, manifest.c8, manifest.label_digest)

    def add_run(self, key: str, c8: str, label_digest: str) -> None:
        """Add a run, in any order."""
        self._records += bytes.fromhex(f"{key}{c8}{label_digest}")

    def compute(self) -> str:
        """Return 64 hexadecimal digits."""
        records = np.frombuffer(self._records, np.dtype(f"S{_RECORD_BYTES}"))
        digest = sha256()
        for index in np.argsort(records, kind="stable"):
            digest.update(_format_line(self._records[index * _RECORD_BYTES : (index + 1) * _RECORD_BYTES]))
        return digest.hexdigest()


def _format_line(record: bytearray) -> bytes:
    text, end = record.hex(), 2 * _KEY_BYTES + 2 * _C8_BYTES
    return f"{text[: 2 * _KEY_BYTES]}  {text[2 * _KEY_BYTES : end]}  {text[end:]}\n".encode()
