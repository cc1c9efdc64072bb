"""A process that checks one sweep, recipe or dataset after the other, with limits of processor time and memory each."""

from __future__ import annotations

import logging
import os
import pickle
import resource
import signal
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from synth_operator.validation import validate_recipe, validate_selection, validate_sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

_CHECKS: Final[dict[str, Callable[..., Any]]] = {
    "sweep": validate_sweep,
    "recipe": validate_recipe,
    "selection": validate_selection,
}
_MAX_WARNINGS: Final = 20
_URGENT_CPU_SECONDS: Final = 0.5
"""Processor time after which a check goes on at a low priority; usual ones need less than 0.3 s."""
_NICENESS: Final = 10
"""A tenth of the processor time of each other process that wants some."""


@dataclass(frozen=True)
class Limits:
    """Limits of one check."""

    cpu_seconds: float
    memory_bytes: int
    """Of the process' own data: a worker without a check has about 50 MiB."""


@dataclass(frozen=True)
class Answer:
    """Answer to one request: the result of the check, what it needs too much of, or the traceback of its failure."""

    result: Any = None
    excess: str = ""
    failure: str = ""
    warnings: tuple[str, ...] = ()
    """Warnings that the check logged."""
    has_low_priority: bool = False
    """True if the process has a low priority, for good, and should serve no other check."""


def serve_checks(requests: Connection, limits: Limits) -> None:
    """Answer requests, the pickled name of a check and its arguments, until the connection ends.

    SIGPROF ends the process when a check takes too much processor time; with too little memory it raises
    MemoryError. An expensive check lowers the priority of its process: checks of other namespaces, the reconciler and,
    on a small node, the API server come first.
    """
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    signal.signal(signal.SIGVTALRM, lambda *_: os.nice(_NICENESS))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the operator ends them
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # the log has one JSON object per line; an answer has all
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, limits.memory_bytes))
    warnings = _Warnings()
    logging.basicConfig(handlers=[warnings], level=logging.WARNING, force=True)
    while True:
        try:
            request = requests.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _answer(request, limits, warnings)
        requests.send(replace(answer, has_low_priority=os.getpriority(os.PRIO_PROCESS, 0) > priority))


def _answer(request: bytes, limits: Limits, warnings: _Warnings) -> Answer:
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
    signal.setitimer(signal.ITIMER_VIRTUAL, _URGENT_CPU_SECONDS)
    warnings.texts.clear()
    try:
        name, arguments = pickle.loads(request)
        return Answer(_CHECKS[name](*arguments), warnings=tuple(warnings.texts[:_MAX_WARNINGS]))
    except MemoryError:
        return Answer(excess=f"it needs more than {limits.memory_bytes >> 20} MiB of memory")
    except RecursionError:
        return Answer(excess="its values are nested too deeply")
    except Exception:
        return Answer(failure=traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
