"""A sweep rendered on this machine: an attempt, a pool of workers, the dataset, and how it is told."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.run_key import compute_run_key
from synth_cli.local.dataset_warnings import print_notes
from synth_cli.local.existing_runs import WatchedSweep
from synth_cli.local.interrupts import Interrupts
from synth_cli.local.run_numbers import parse_run_numbers
from synth_cli.local.run_tally import Tally, tell
from synth_cli.terminal.consoles import count, duration, facts, stderr, stdout
from synth_cli.terminal.progress import meter
from synth_dataset.attempts.attempt import committed
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import OtherRuns, begin, check_other_runs
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.documents.layout import pointer_path
from synth_dataset.store.folder_store import FolderStore, StoreFullError
from synth_dataset.views.dataset_views import GALLERY
from synth_renderer.runtime.capacity import compute_default_workers
from synth_renderer.runtime.library_folders import choose_library_folders
from synth_renderer.runtime.pool import Pool, PoolUnavailableError, RunStarted
from synth_renderer.runtime.protocol import RunTask
from synth_renderer.runtime.worker_handle import WorkerCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.sweep.definition import Sweep
    from synth_dataset.attempts.render_call import RenderCall
    from synth_dataset.documents.dataset_document import DatasetDocument

LOG: Final = "worker.log"
"""In the store: what Blender and Python print while they render."""


@dataclass(frozen=True)
class Settings:
    """How to render; nothing here is part of a run's key."""

    workers: int | None
    """None: one for every two processors, as far as memory goes. Tracing uses all processors, the rest of a run one."""
    only: str | None
    device: str
    engine: str
    """Import path `module:function`."""
    others: OtherRuns
    """What to do with runs that the committed dataset has beside the sweep's."""


def render_sweep(sweep: Sweep, out: Path, settings: Settings) -> ExitCode:
    """Render what is missing, commit the dataset, tell about both. Raises InputError, then nothing was written."""
    chosen = parse_run_numbers(settings.only, sweep.runs) if settings.only else (range(sweep.runs),)
    store = FolderStore(out)
    store.check_writable()
    call = begin(store, WatchedSweep(sweep, stderr()), others=settings.others)
    if call is None:
        return _tell_nothing_to_do(store, sweep)
    if call.survey.lost:
        stderr().print(f"{count(len(call.survey.lost), 'run')} lost files since: to be rendered again")
    tally = Tally(cached=call.survey.cached)
    start = time.monotonic()
    error = ""
    with Interrupts() as stop:
        try:
            _render(sweep, _chosen(call, chosen), store, settings, tally, stop)
        except PoolUnavailableError as unavailable:
            error = str(unavailable)
    is_cut_short = bool(error or stop.count)
    if stop.count <= 1 and (tally.has_news or not is_cut_short):
        elapsed = time.monotonic() - start
        dataset, problem = _commit(store, call, tally, settings.others)
        error = problem or error
        tell(tally, elapsed, stdout())
        if dataset is not None:
            _tell_where(store, dataset)
    if stop.count:
        return _tell_end("stopped; the same call goes on from here", stop.exit_code)
    if error:
        return _tell_end(f"error: {error}", ExitCode.RUNS_FAILED if tally.failures else ExitCode.TRY_AGAIN)
    return ExitCode.RUNS_FAILED if tally.failures else ExitCode.OK


def _commit(
    store: FolderStore, call: RenderCall, tally: Tally, others: OtherRuns
) -> tuple[DatasetDocument | None, str]:
    """Make what exists the sweep's dataset; returns it, or what prevented it."""
    try:
        if others is not OtherRuns.REPLACE:
            check_other_runs(store, call)
        return commit_dataset(store, call.attempt, _failed_runs(call, tally)), ""
    except InputError as refusal:
        return None, str(refusal)
    except StoreFullError as full:
        return None, f"the dataset's documents could not be written: {full}"


def _chosen(call: RenderCall, chosen: Sequence[range]) -> list[range]:
    """What is to do of the chosen runs."""
    parts = [range(max(part.start, first), min(part.stop, end)) for first, end in call.survey.todo for part in chosen]
    return [part for part in parts if part]


def _render(
    sweep: Sweep, numbers: Sequence[range], store: FolderStore, settings: Settings, tally: Tally, stop: Interrupts
) -> None:
    """Render runs into the store and the tally. Raises PoolUnavailableError."""
    todo = sum(map(len, numbers))
    if not todo:
        return
    arguments = (f"--store={store.root}", f"--device={settings.device}", f"--engine={settings.engine}")
    with _temporary_folder(store) as temporary, meter(stderr(), "rendering", todo, "run") as progress:
        environment = {"TMPDIR": temporary, **choose_library_folders(os.environ, Path(temporary))}
        command = WorkerCommand(arguments, store.root / LOG, environment)
        pool = Pool(command, min(settings.workers or compute_default_workers(), todo), stop)
        for event in pool.events(_tasks(sweep, numbers)):
            if isinstance(event, RunStarted):
                continue
            report = event.report
            tally.add(event.task, report)
            if report.outcome == "failed":
                progress.say(f"run {report.number} failed: {report.reason}: {report.message}")
            progress.advance(note=f"run {report.number}: {duration(report.seconds)}")


@contextmanager
def _temporary_folder(store: FolderStore) -> Iterator[str]:
    """For what Blender leaves behind: in scratch, so that a killed command's is garbage that `synth gc` finds."""
    folder = store.new_scratch("workers").resolve()
    try:
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tasks(sweep: Sweep, numbers: Sequence[range]) -> Iterator[RunTask]:
    for part in numbers:
        for number in part:
            recipe = sweep.build_recipe(number)
            yield RunTask(
                number=number,
                key=compute_run_key(recipe),
                overrides=sweep.overrides(number),
                recipe=build_canonical_tree(recipe),
            )


def _failed_runs(call: RenderCall, tally: Tally) -> list[FailedRun]:
    """The dataset's failed runs, by their numbers in it."""
    failed = [
        FailedRun(
            number=int(call.runs.numbers[failure.number]),
            overrides=failure.overrides,
            reason=failure.reason,
            message=failure.message,
        )
        for failure in tally.failures
    ]
    return [*call.earlier_failures, *failed]


def _tell_nothing_to_do(store: FolderStore, sweep: Sweep) -> ExitCode:
    stdout().print(f"nothing to render: {count(sweep.runs, 'run')} there already", style="bold")
    dataset = committed(store, "local", sweep.name)
    if dataset is not None:
        _tell_where(store, dataset)
    return ExitCode.OK


def _tell_where(store: FolderStore, dataset: DatasetDocument) -> None:
    pointer = store.root / pointer_path(dataset.namespace, dataset.name)
    rows = [("dataset", str(pointer))]
    if GALLERY in dataset.files:
        rows.append(("gallery", str(store.root / dataset.folder / GALLERY)))
    if (store.root / LOG).exists():
        rows.append(("log", str(store.root / LOG)))
    console = stdout()
    console.print()
    console.print(facts(rows))
    print_notes(dataset)


def _tell_end(sentence: str, code: ExitCode) -> ExitCode:
    stderr().print(sentence)
    return code
