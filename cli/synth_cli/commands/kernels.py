"""`synth kernels`: build Cycles kernels for NVIDIA GPUs, and show which GPU has them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import click

from synth_api.errors import InputError, TryAgainError
from synth_api.exit_codes import ExitCode
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from synth_renderer.kernels.gpus import CudaGpu
    from synth_renderer.kernels.machine_code import Capability

_STATES: Final = {
    "shipped": "machine code, shipped with bpy",
    "built": "machine code, built here",
    "outdated": "machine code of another version of bpy: run synth kernels build",
    "missing": "none: the driver compiles them at the first render, for minutes, unless synth kernels build has",
}
_NO_GPU: Final = "no NVIDIA driver or GPU answers here"


@click.group(name="kernels")
def command() -> None:
    """Build Cycles kernels for NVIDIA GPUs, or show which GPU has them.

    bpy brings machine code for some GPUs. For others (A100, H100, H200, B200) the driver compiles Cycles kernels at the
    first render by CUDA, for minutes, unless they are built before.
    """


@command.command(name="build")
@click.option(
    "--arch",
    "names",
    type=TEXT,
    multiple=True,
    metavar="SM",
    help="CUDA architecture, such as sm_90; repeatable.  [default: those of the GPUs here]",
)
def build(names: tuple[str, ...]) -> None:
    """Build machine code where Cycles loads it; takes about 10 minutes and 3 GB of memory for each architecture.

    Needs the extra synth-operator[kernels], or ptxas of CUDA on the PATH. What was built once is kept in a cache.
    """
    from synth_cli.terminal.consoles import open_stderr, open_stdout
    from synth_cli.terminal.formatting import format_duration, format_size
    from synth_renderer.kernels.machine_code import (
        find_library,
        format_architecture,
        name_kernel,
        parse_architecture,
    )

    library = find_library()  # before what needs the renderer's dependencies
    from synth_renderer.kernels.build import build_kernel, find_cache

    for capability in [parse_architecture(name) for name in names] or list_capabilities():
        start = time.monotonic()
        with end_children_on_sigterm():
            action = build_kernel(capability, library, find_cache(os.environ), open_stderr().print)
        size = format_size((library / name_kernel(capability)).stat().st_size)
        seconds = format_duration(time.monotonic() - start)
        open_stdout().print(f"{format_architecture(capability)}: {action}, {size}, {seconds}")


@command.command(name="list")
def list_() -> None:
    """Show for each NVIDIA GPU here which Cycles kernels CUDA finds."""
    from synth_cli.terminal.consoles import open_stdout
    from synth_renderer.kernels.gpus import list_gpus

    gpus = list_gpus()
    if not gpus:
        raise TryAgainError(f"{_NO_GPU}; synth kernels build takes architectures, such as --arch sm_90")
    open_stdout().print(build_gpu_table(gpus))


@contextmanager
def end_children_on_sigterm() -> Iterator[None]:
    """End the command by an exception on SIGTERM: `subprocess.run` then kills ptxas, which would go on for minutes."""

    def stop(*_: object) -> NoReturn:
        raise click.exceptions.Exit(ExitCode.STOPPED)

    earlier = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def list_capabilities() -> list[Capability]:
    """Return the distinct compute capabilities of the GPUs here. Raises InputError without one."""
    from synth_renderer.kernels.gpus import list_gpus

    found = list(dict.fromkeys(gpu.capability for gpu in list_gpus()))
    if not found:
        raise InputError("--arch", f"{_NO_GPU}; name an architecture, such as --arch sm_90")
    return found


def build_gpu_table(gpus: Sequence[CudaGpu]) -> Table:
    """Return a table of GPUs with their Cycles kernels."""
    from synth_cli.terminal.tables import build_table
    from synth_renderer.kernels.machine_code import find_library, format_architecture, read_state

    library = find_library()
    table = build_table("GPU", "architecture", "Cycles kernels")
    for gpu in gpus:
        table.add_row(gpu.name, format_architecture(gpu.capability), _STATES[read_state(library, gpu.capability)])
    return table
