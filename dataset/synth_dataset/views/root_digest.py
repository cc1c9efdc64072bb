"""Root digest of a dataset: equal for datasets with the same runs, whatever their order."""

from __future__ import annotations

import heapq
import os
from contextlib import ExitStack
from hashlib import sha256
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final

from synth_api.temporary import find_temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synth_dataset.documents.run_manifest import Manifest

_KEY_BYTES: Final = 32
_C8_BYTES: Final = 4
_RECORD_BYTES: Final = _KEY_BYTES + _C8_BYTES + 32
PART_RUNS: Final = 8_192
"""Runs that are sorted in memory."""
_READ_RUNS: Final = 64
"""Runs of each part in memory while parts are merged."""


class RootDigest:
    """The sha256 over lines `<key>  <c8>  <label_digest>` of runs, sorted.

    Memory is that of PART_RUNS runs; more runs are in a file without a name in `folder`, or else in that of temporary
    files, 68 bytes each. Methods raise OSError on a full disk.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._records = bytearray()
        self._parts = 0
        self._file: BinaryIO | None = None
        self._open_files = ExitStack()

    def add(self, manifest: Manifest) -> None:
        """Add a run by its manifest, in any order."""
        self.add_run(manifest.key, manifest.c8, manifest.label_digest)

    def add_run(self, key: str, c8: str, label_digest: str) -> None:
        """Add a run, in any order."""
        self._records += bytes.fromhex(f"{key}{c8}{label_digest}")
        if len(self._records) >= PART_RUNS * _RECORD_BYTES:
            self._write_part()

    def compute(self) -> str:
        """Return 64 hexadecimal digits; call it once."""
        digest = sha256()
        with self._open_files:
            parts = [self._read_part(number) for number in range(self._parts)]
            for record in heapq.merge(*parts, sorted(_split_records(self._records))):
                digest.update(_format_line(record))
        return digest.hexdigest()

    def _write_part(self) -> None:
        if self._file is None:
            self._file = self._open_files.enter_context(TemporaryFile(dir=self._folder or find_temporary_folder()))  # noqa: SIM115
        self._file.seek(0, os.SEEK_END)
        self._file.writelines(sorted(_split_records(self._records)))
        self._records = bytearray()
        self._parts += 1

    def _read_part(self, number: int) -> Iterator[bytes]:
        """Yield the records of a part, sorted."""
        assert self._file is not None
        first, end = number * PART_RUNS, (number + 1) * PART_RUNS
        for run in range(first, end, _READ_RUNS):
            self._file.seek(run * _RECORD_BYTES)
            yield from _split_records(self._file.read(min(_READ_RUNS, end - run) * _RECORD_BYTES))


def _split_records(records: bytes | bytearray) -> Iterator[bytes]:
    return (bytes(records[start : start + _RECORD_BYTES]) for start in range(0, len(records), _RECORD_BYTES))


def _format_line(record: bytes) -> bytes:
    text, end = record.hex(), 2 * _KEY_BYTES + 2 * _C8_BYTES
    return f"{text[: 2 * _KEY_BYTES]}  {text[2 * _KEY_BYTES : end]}  {text[end:]}\n".encode()
