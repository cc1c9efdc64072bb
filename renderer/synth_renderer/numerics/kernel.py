"""Compiled functions whose cache on disk is valid for all sources that they are built from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE: Final = Path(__file__).parents[1]
F = TypeVar("F", bound="Callable[..., Any]")


def kernel(function: F) -> F:
    """`numba.njit(cache=True)` that compiles again when any source of this package or of its own folder has changed.

    Numba alone looks at the function's own file, and would go on using code inlined from a changed neighbour. Without
    the GIL, so that a worker stops also in the middle of a long kernel.
    """
    compiled: Any = numba.njit(cache=True, nogil=True)(function)
    compiled._cache._cache_file._source_stamp = (
        stamp_sources(PACKAGE),
        stamp_sources(Path(function.__code__.co_filename).parent),
    )
    return compiled  # type: ignore[no-any-return]


@cache
def stamp_sources(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return path, modification time (ns) and size (bytes) of each Python file below a folder."""
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*.py")))
