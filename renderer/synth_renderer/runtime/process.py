"""What every process that renders does alike: load its engine, write to a log."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_renderer.runtime.worker import Engine


def load_engine(name: str) -> Engine:
    """Import `module:function`."""
    module, _, function = name.partition(":")
    loaded: Engine = getattr(importlib.import_module(module), function)
    return loaded


def log_line(line: str) -> None:
    """To stderr; a log that cannot be written must not take the worker down."""
    with suppress(OSError, ValueError):
        print(f"{line}\n", end="", file=sys.stderr, flush=True)
