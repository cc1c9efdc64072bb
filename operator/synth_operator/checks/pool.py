"""Pool of processes that check sweeps and recipes, with limits whose excess is a problem of the sweep or recipe."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.messages import Problem
from synth_api.reasons import Reason
from synth_operator.checks.check_process import CheckLimitError, CheckProcess, log_warning
from synth_operator.checks.worker import Limits
from synth_operator.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_api.resources.output import Output
    from synth_api.resources.synth_dataset import DatasetDefinition
    from synth_api.resources.synth_sweep import SweepSpec
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.validation import SourceSweep, ValidatedSweep

WORKERS: Final = 2
CPU_SECONDS: Final = 5.0
MEMORY_MIB: Final = 192

_SUBJECTS: Final = {"sweep": ("sweep", Reason.SWEEP_INVALID), "recipe": ("recipe", Reason.RECIPE_INVALID)}


@dataclass(frozen=True)
class _Request:
    group: str
    name: str
    arguments: tuple[Any, ...]
    warn: Callable[[str], None]
    answer: Future[Any]
    since: float


class CheckPool:
    """Checks in `workers` processes; the groups, namespaces, take turns, and one alone never holds all processes.

    Every check has `cpu_seconds` of processor time and its process `memory_mib` of data. A check beyond these is a
    problem with the reason SweepInvalid or RecipeInvalid. Thread-safe. The processes start with the first checks.
    """

    def __init__(self, workers: int = WORKERS, cpu_seconds: float = CPU_SECONDS, memory_mib: int = MEMORY_MIB) -> None:
        limits = Limits(cpu_seconds, memory_mib << 20)
        self._processes = [CheckProcess(limits) for _ in range(workers)]
        self._turns: Turns[_Request] = Turns(max(1, workers - 1))
        self._times: dict[int, float] = {}  # times since which requests are checked, by thread
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, args=(process,), name=f"check-{number}", daemon=True)
            for number, process in enumerate(self._processes)
        ]
        for thread in self._threads:
            thread.start()

    def check_sweep(
        self, group: str, name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None
    ) -> ValidatedSweep | Problem:
        """Wait for `validate_sweep` of these arguments."""
        return self.submit_sweep(group, name, spec, recipe, default).result()

    def submit_sweep(
        self,
        group: str,
        name: str,
        spec: SweepSpec,
        recipe: RecipeObject | None,
        default: Output | None,
        warn: Callable[[str], None] = log_warning,
    ) -> Future[ValidatedSweep | Problem]:
        """Return the future result of `validate_sweep` of these arguments; `warn` takes its warnings."""
        return self._submit(group, "sweep", (name, spec, recipe, default), warn)

    def check_recipe(self, group: str, recipe: RecipeObject) -> Problem | None:
        """Wait for `validate_recipe` of this recipe."""
        return self.submit_recipe(group, recipe).result()

    def submit_recipe(
        self, group: str, recipe: RecipeObject, warn: Callable[[str], None] = log_warning
    ) -> Future[Problem | None]:
        """Return the future result of `validate_recipe` of this recipe; `warn` takes its warnings."""
        return self._submit(group, "recipe", (recipe,), warn)

    def submit_selection(
        self, group: str, definition: DatasetDefinition, sweeps: tuple[SourceSweep, ...]
    ) -> Future[Problem | None]:
        """Return the future result of `validate_selection`; None for one that takes too much, which an export reads."""
        return self._submit(group, "selection", (definition, sweeps), log_warning)

    @property
    def oldest_seconds(self) -> float:
        """Longest time, in seconds, since which a check waits or runs."""
        with self._changed:
            times = [*self._times.values(), self._turns.find_oldest()]
        return max((time.monotonic() - since for since in times if since is not None), default=0.0)

    def close(self) -> None:
        """End the processes and their checks; checks that wait are cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for process in self._processes:
            process.close()
        for thread in self._threads:
            thread.join()
        while (request := self._turns.take()) is not None:
            self._turns.release(request.group)
            request.answer.cancel()

    def _submit(self, group: str, name: str, arguments: tuple[Any, ...], warn: Callable[[str], None]) -> Future[Any]:
        answer: Future[Any] = Future()
        with self._changed:
            if self._closed:
                answer.cancel()
            else:
                since = time.monotonic()
                self._turns.add(group, _Request(group, name, arguments, warn, answer, since), since)
                self._changed.notify()
        return answer

    def _serve(self, process: CheckProcess) -> None:
        while (request := self._take()) is not None:
            if request.answer.set_running_or_notify_cancel():
                _answer(request, process)
            with self._changed:
                del self._times[threading.get_ident()]
                self._turns.release(request.group)
                self._changed.notify()

    def _take(self) -> _Request | None:
        with self._changed:
            while not self._closed:
                request = self._turns.take()
                if request is not None:
                    self._times[threading.get_ident()] = request.since
                    return request
                self._changed.wait()
            return None


def _answer(request: _Request, process: CheckProcess) -> None:
    try:
        result = process.run(request.name, request.arguments, request.warn)
    except CheckLimitError as error:
        if request.name not in _SUBJECTS:
            request.answer.set_result(None)
            return
        subject, reason = _SUBJECTS[request.name]
        message = f"The {subject} is too large to check: {error}; make it smaller."
        request.answer.set_result(Problem(reason=reason, message=message))
    except Exception as error:
        request.answer.set_exception(error)
    else:
        request.answer.set_result(result)
