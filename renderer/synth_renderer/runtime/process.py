"""Helpers of every process that renders: load its engine, write to its log."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_renderer.runtime.worker import Engine, Preparation


def load_engine(name: str) -> Engine:
    """Return the function of an import path `module:function`. Raises ImportError and AttributeError."""
    module, _, function = name.partition(":")
    loaded: Engine = getattr(importlib.import_module(module), function)
    return loaded


def load_preparation(name: str) -> Preparation | None:
    """Return `prepare_device` of an engine's module; None if the engine needs no device. Raises ImportError."""
    return getattr(importlib.import_module(name.partition(":")[0]), "prepare_device", None)


def watch_compilation(name: str, announce: Callable[[float], None]) -> None:
    """Have `watch_compilation` of an engine's module call `announce`, if the engine compiles. Raises ImportError."""
    watch = getattr(importlib.import_module(name.partition(":")[0]), "watch_compilation", None)
    if watch is not None:
        watch(announce)


def log_line(line: str) -> None:
    """Write a line to stderr; ignore errors, because a full log must not end the worker."""
    with suppress(OSError, ValueError):
        print(f"{line}\n", end="", file=sys.stderr, flush=True)
