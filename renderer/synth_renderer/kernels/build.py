"""Machine code of all Cycles kernels for an architecture, built once and kept in a cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import zstandard

from synth_api.errors import InputError
from synth_renderer.kernels.machine_code import (
    KernelState,
    build_digest_frame,
    find_ptx,
    format_architecture,
    name_kernel,
    read_state,
)
from synth_renderer.kernels.ptxas import find_ptxas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from synth_renderer.kernels.machine_code import Capability
    from synth_renderer.kernels.ptxas import Ptxas

COMPRESSION_LEVEL: Final = 19


def find_cache(environment: Mapping[str, str]) -> Path:
    """Return the folder of built kernels: below XDG_CACHE_HOME, else below `~/.cache`."""
    caches = environment.get("XDG_CACHE_HOME")
    return Path(caches or Path.home() / ".cache") / "synth-operator" / "cycles-kernels"


def build_kernel(capability: Capability, library: Path, cache: Path, announce: Callable[[str], None]) -> str:
    """Put machine code of an architecture where Cycles loads it, and return what was done, in words.

    `library` is the folder of Cycles kernels. Machine code is taken from `cache`, else compiled, which `announce` is
    told before. Processes that need the same compile once. Raises InputError for an architecture, a folder or a ptxas
    that does not fit, and TryAgainError for too little memory.
    """
    state = read_state(library, capability)
    if state in (KernelState.SHIPPED, KernelState.BUILT):
        return f"{state} already"
    ptx = find_ptx(library, capability)
    with _explain(library, "run the command as its owner, or build the image with CUDA_ARCHITECTURES"):
        tempfile.TemporaryFile(dir=library).close()
    ptxas = find_ptxas()
    ptxas.check_architecture(capability)
    with _explain(cache, "set XDG_CACHE_HOME to a folder that can be written"):
        content, action = _fetch(cache / _name_cache_entry(ptx, capability, ptxas), ptx, capability, ptxas, announce)
    with _explain(library, "make room"):
        _write(library / name_kernel(capability), content)
    return action


def _fetch(
    cached: Path, ptx: Path, capability: Capability, ptxas: Ptxas, announce: Callable[[str], None]
) -> tuple[bytes, str]:
    """Return the content of a kernel's file and where it came from."""
    cached.parent.mkdir(parents=True, exist_ok=True)
    with _hold_lock(cached.with_suffix(".lock")):
        if cached.exists():
            return cached.read_bytes(), "taken from the cache"
        announce(f"{format_architecture(capability)}: compiling, about 10 minutes of one core and 3 GB of memory")
        content = _compile(ptx, capability, ptxas)
        _write(cached, content)
        return content, "compiled"


def _compile(ptx: Path, capability: Capability, ptxas: Ptxas) -> bytes:
    """Return the file that Cycles reads: machine code in one frame that tells its size, and the digest of its PTX."""
    with zstandard.open(ptx, "rb") as stream:
        machine_code = ptxas.compile(stream.read(), capability)
    frame = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_content_size=True).compress(machine_code)
    return frame + build_digest_frame(ptx)


def _name_cache_entry(ptx: Path, capability: Capability, ptxas: Ptxas) -> str:
    """Return the name of a kernel in the cache: a hash of PTX, architecture and version of ptxas."""
    inputs = build_digest_frame(ptx) + f"{format_architecture(capability)} {ptxas.version}".encode()
    return f"{hashlib.sha256(inputs).hexdigest()[:32]}.zst"


def _write(target: Path, content: bytes) -> None:
    """Replace a file atomically, so that no reader ever sees a part of it."""
    temporary = target.with_name(f"{target.name}.{uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _hold_lock(path: Path) -> Iterator[None]:
    """Wait for the lock of a file; the kernel of the system frees it when its process ends."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _explain(folder: Path, remedy: str) -> Iterator[None]:
    """Turn the system's error about a folder into one that names it and the remedy."""
    try:
        yield
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}; {remedy}") from error
