"""An engine that does what a file called like the run's seed says: the worker's tests inject it by import path."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pyarrow as pa

from synth_dataset.documents.particle_table import write_table
from synth_dataset.documents.run_manifest import GpuRecord
from synth_renderer.model.errors import DeviceFailedError, GpuMemoryError

HELD: list[bytearray] = []

if Path(os.environ["TRIAL"], "one worker only").exists():
    siblings = psutil.Process(os.getppid()).children()  # some are servers of other tests
    if sum("synth_renderer.runtime.worker_process" in each.cmdline() for each in siblings) > 1:
        sys.exit("there is no memory for another worker")


def render(recipe: Any, folder: Path, device: str) -> Any:
    seed = recipe.initial_runtime_state.seed
    orders = Path(os.environ["TRIAL"])
    order = orders / str(seed)
    what = order.read_text() if order.exists() else ""  # before the log, after which a test may withdraw it
    with (orders / f"{seed}.log").open("a") as log:
        log.write(f"{os.getpid()}\n")
    assert folder.is_absolute()  # bpy takes other paths from $PWD
    (folder / "picture.txt").write_text(str(seed))
    (folder / "annotations.json").write_text('{"width": 4, "height": 4, "particles": []}')
    write_table(folder / "particles.parquet", pa.table({"volume": pa.array([], pa.float64())}))
    with suppress(OSError):  # the log may be full
        print(f"picture of seed {seed}")
    (Path(tempfile.mkdtemp()) / "left behind").touch()
    (orders / f"{seed}.rendered").touch()
    carry_out(what, order, folder)
    return SimpleNamespace(
        device=device,
        seconds={"picture": 0.0},
        width=4,
        height=4,
        pixel_size=0.1,
        depth_range=None,
        particles=0,
        visible=0,
        physics=(),
        gates=(),
        label_digest=f"{seed:064x}",
    )


def prepare_device(device: str, announce: Any) -> GpuRecord:
    """Do what a file `device` says, and count this process."""
    orders = Path(os.environ["TRIAL"])
    order = orders / "device"
    with (orders / "device.log").open("a") as log:
        log.write(f"{os.getpid()}\n")
    announce("Compiling Cycles kernels for NVIDIA A100 (sm_80); once per driver")
    carry_out(order.read_text() if order.exists() else "", order, orders)
    return GpuRecord(name="NVIDIA A100", compute_capability="8.0", driver="580.1", backend="CUDA", startup_seconds=12.5)


def carry_out(what: str, order: Path, folder: Path) -> None:
    match what:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "crash once":
            order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        case "terminate once":
            order.unlink()
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait()
        case "hang":
            threading.Event().wait()
        case "hang a moment":
            threading.Event().wait(0.1)
        case "hang in native code":
            mutex, libc = ctypes.create_string_buffer(64), ctypes.PyDLL(None)  # PyDLL: holds the GIL
            libc.pthread_mutex_lock(mutex)
            libc.pthread_mutex_lock(mutex)
        case "load a kernel":
            importlib.import_module("synth_renderer.labels.layers")
        case "hang until released":
            wait_for_release(order.parent)
        case "gpu fails":
            raise DeviceFailedError("Illegal address in CUDA queue synchronize ()")
        case "gpu is full":
            raise GpuMemoryError("System is out of GPU memory")
        case "leak":
            HELD.append(bytearray(os.urandom(1 << 20)) * 300)
        case "fill":
            (folder / "large.bin").write_bytes(bytes(1 << 20))
        case "fill for good":
            with (folder.parents[1] / "ballast").open("wb", buffering=0) as ballast:
                while ballast.write(bytes(4096)):
                    pass
        case "blender is full":
            raise RuntimeError("Error: No space left on device")
        case "raise":
            raise ValueError("two beads\nin one place")
        case "exit":
            sys.exit(3)
        case _:
            carry_out_beside_others(what, order)


def carry_out_beside_others(what: str, order: Path) -> None:
    """Carry out an order for a pod, whose runs may be in flight together."""
    if what.endswith(" beside two others"):
        wait_for_runs(order.parent, 3)
    match what.removesuffix(" beside two others"):
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "kill pod":
            os.kill(os.getppid(), signal.SIGKILL)
            threading.Event().wait()
        case "be killed once":
            order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        case "no device":
            from synth_renderer.model.errors import DeviceUnavailableError

            raise DeviceUnavailableError("gpu", ["cpu"])
        case "raise unless alone":
            if len(psutil.Process(os.getppid()).children()) > 1:
                raise ValueError("not alone")
        case "commit when released":
            from synth_dataset.store.s3_store import S3Store

            commit = S3Store.commit_run

            def wait_and_commit(*arguments: Any) -> Any:
                (order.parent / "committing").touch()
                wait_for_release(order.parent)
                return commit(*arguments)

            S3Store.commit_run = wait_and_commit  # type: ignore[method-assign]


def wait_for_release(orders: Path) -> None:
    while not (orders / "released").exists():
        threading.Event().wait(0.01)


def wait_for_runs(orders: Path, count: int) -> None:
    """Return once so many runs have been in flight."""
    while len(list(orders.glob("*.rendered"))) < count:
        threading.Event().wait(0.01)
