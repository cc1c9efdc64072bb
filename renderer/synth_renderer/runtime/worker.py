"""One run after another in this process: skip what exists, render into a scratch folder, commit, report."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from synth_api.reasons import Reason
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import compute_run_key
from synth_api.sentences import explain
from synth_dataset.stopper import log_traceback
from synth_renderer.runtime.failures import find_reason
from synth_renderer.runtime.protocol import RunReport
from synth_renderer.runtime.run_record import build_run_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synth_api.recipe.model import Recipe
    from synth_dataset.documents.run_manifest import GpuRecord
    from synth_dataset.store.base import Store
    from synth_renderer.model.rendered_run import RenderedRun
    from synth_renderer.runtime.protocol import Outcome, RunTask


class WorkerUnavailableError(RuntimeError):
    """Device or store cannot be used now, so no run can be rendered here; the run does not count as failed."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Engine(Protocol):
    """Renders one run into an empty folder."""

    def __call__(self, recipe: Recipe, folder: Path, device: str) -> RenderedRun:
        """Render `recipe` into `folder`; any exception fails this run only."""


class Preparation(Protocol):
    """Makes a device ready for the first run."""

    def __call__(self, device: str, announce: Callable[[str], None]) -> GpuRecord | None:
        """Return the GPU; None for the CPU."""


class Worker:
    """Renders runs one at a time; another thread may call `drop_run` while it holds `commit_lock`.

    The caller holds `commit_lock` around `render_run`, which releases it only while the engine works. A thread that
    acquires it therefore finds no run, or a run that is not committed and will not be.
    """

    def __init__(self, store: Store, engine: Engine, device: str) -> None:
        self.commit_lock = threading.Lock()
        self._store = store
        self._engine = engine
        self._device = device
        self._gpu: GpuRecord | None = None
        self._in_flight: tuple[int, Path, float] | None = None

    def prepare_device(self, preparation: Preparation, announce: Callable[[str], None]) -> GpuRecord | None:
        """Prepare the device and return the GPU, of which the manifests of later runs tell.

        `announce` is called before with a sentence that says what takes the time. Raises WorkerUnavailableError.
        """
        try:
            self._gpu = preparation(self._device, announce)
        except Exception as error:
            reason = find_reason(error)
            if isinstance(reason, Reason):
                raise WorkerUnavailableError(reason, explain(error)) from error
            raise
        return self._gpu

    def render_run(self, task: RunTask) -> RunReport:
        """Render and commit one run. Raises WorkerUnavailableError; any other error becomes a failed run."""
        start = time.perf_counter()
        stages: dict[str, float] = {}
        written = 0
        outcome: Outcome
        reason: str
        outcome, reason, message = "succeeded", "", ""
        try:
            if self._store.has_plain_run(task.key):
                outcome = "present"
            else:
                stages, written = self._render(task)
        except Exception as error:
            reason, message = find_reason(error), explain(error)
            if isinstance(reason, Reason):
                raise WorkerUnavailableError(reason, message) from error
            log_traceback()
            outcome = "failed"
        return RunReport(
            number=task.number,
            outcome=outcome,
            reason=reason,
            message=message,
            seconds=time.perf_counter() - start,
            stages=stages,
            bytes=written,
        )

    def _render(self, task: RunTask) -> tuple[dict[str, float], int]:
        """Return seconds by stage and the bytes written."""
        recipe = parse_recipe(task.recipe)
        if compute_run_key(recipe) != task.key:
            raise RuntimeError(f"the recipe of run {task.number} does not have the key {task.key}")
        with self._store.open_scratch(task.key) as folder:
            self._in_flight = (task.number, folder, time.perf_counter())
            started = datetime.now(UTC)
            try:
                rendered = self._call_engine(recipe, folder)
                tree = self._store.keep_recipe(task.base, build_canonical_tree(recipe))
                record = build_run_record(
                    task.key, recipe, tree, task.overrides, rendered, self._gpu, started, datetime.now(UTC)
                )
                manifest = self._store.commit_run(folder, record)
            finally:
                self._in_flight = None
        return dict(rendered.seconds), sum(file.bytes for file in manifest.files)

    def _call_engine(self, recipe: Recipe, folder: Path) -> RenderedRun:
        self.commit_lock.release()
        try:
            return self._engine(recipe, folder, self._device)
        except RuntimeError as error:
            # bpy raises RuntimeError for every error that an operator reports.
            if os.strerror(errno.ENOSPC) not in str(error):
                raise
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        finally:
            self.commit_lock.acquire()

    def drop_run(self) -> RunReport | None:
        """Remove the files of the run in flight as far as possible; None without a run in flight."""
        if self._in_flight is None:
            return None
        number, folder, start = self._in_flight
        # Rename first: the engine still writes, and a folder that grows cannot be removed.
        trash = folder.with_name(f"{folder.name}.dropped")
        with suppress(OSError):  # the store may have been removed
            folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)  # the engine may have created it again for its next file
        return RunReport(number=number, outcome="dropped", seconds=time.perf_counter() - start)
