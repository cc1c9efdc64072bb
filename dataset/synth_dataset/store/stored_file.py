"""Files of a store as Python files that read in parts."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from synth_dataset.store.base import Store


class StoredFile(io.RawIOBase):
    """A file of a store that is read in parts: the index of a million runs is not downloaded for its first rows."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path
        self._size = store.read_size(path)
        self._position = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._position

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    @override
    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        part = self._store.read_part(self._path, self._position, view.nbytes)
        view[: len(part)] = part
        self._position += len(part)
        return len(part)
