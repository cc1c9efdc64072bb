"""Rendering of a sweep on this machine: attempt, pool of workers, dataset, summary."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.jobs.kernel_cache import DRIVER_CACHE_SIZES
from synth_cli.local.dataset_warnings import print_warnings
from synth_cli.local.dataset_writing import CommitStoppedError, write_dataset
from synth_cli.local.existing_runs import iterate_keys
from synth_cli.local.failure_documents import FailureDocuments
from synth_cli.local.interrupts import Interrupts
from synth_cli.local.run_numbers import parse_run_numbers
from synth_cli.local.run_packing import pack_sweep
from synth_cli.local.run_tally import Tally, print_summary
from synth_cli.terminal.consoles import open_stderr, open_stdout
from synth_cli.terminal.formatting import format_count, format_duration
from synth_cli.terminal.progress import open_meter
from synth_cli.terminal.tables import print_paths
from synth_dataset.attempts.attempt import find_dataset, open_attempt
from synth_dataset.attempts.live_attempts import collect_keys
from synth_dataset.attempts.render_call import OtherRuns, begin_call, check_other_runs
from synth_dataset.documents.layout import INDEX, pointer_path
from synth_dataset.store.folder_store import FolderStore, StoreFullError
from synth_dataset.store.packing import Packer
from synth_dataset.views.dataset_views import COCO
from synth_dataset.views.gallery_page import GALLERY
from synth_renderer.runtime.capacity import compute_default_workers
from synth_renderer.runtime.library_folders import choose_library_folders
from synth_renderer.runtime.pool import Pool, PoolUnavailableError, RunEnded, WorkerCompiling, WorkerPreparing
from synth_renderer.runtime.protocol import TaskBuilder
from synth_renderer.runtime.worker_handle import WorkerCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.sweep.definition import Sweep
    from synth_cli.terminal.progress import Meter
    from synth_dataset.attempts.render_call import RenderCall
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_renderer.runtime.protocol import RunReport, RunTask

WORKER_LOG: Final = "worker.log"
"""File of the store with the output of Blender and Python."""

NOTICE_SECONDS: Final = 1.0
"""Time between two updates of the seconds that a start-up has taken."""
COMPILING: Final = "Compiling numerical kernels; once per machine"
"""What the first run waits for."""
STOPPED: Final = "stopped; the same call continues from here"
OPENED: Final = {"gallery": GALLERY, "coco": COCO, "index": INDEX}
"""Name for people -> file of a dataset that one opens."""


@dataclass(frozen=True)
class RenderSettings:
    """Options of `synth render` that are not part of a run key."""

    workers: int | None
    """None: one for two processors, as far as memory allows. Tracing uses all processors, the rest of a run one."""
    only: str | None
    device: str
    engine: str
    """Import path `module:function`."""
    startup_seconds: float
    """For which a GPU may load Cycles kernels, or its driver compile them."""
    others: OtherRuns
    """Treatment of runs of the committed dataset that the sweep does not have."""
    packs: bool = False
    """True to pack the runs of the sweep into shards."""


def render_sweep(sweep: Sweep, out: Path, settings: RenderSettings) -> ExitCode:
    """Render the missing runs, commit the dataset, print a summary. Raises InputError before anything is written."""
    selected = parse_run_numbers(settings.only, sweep.runs) if settings.only else (range(sweep.runs),)
    store = FolderStore(out)
    store.check_writable()
    call = begin_call(store, sweep, keys=iterate_keys(sweep, open_stderr()), others=settings.others)
    if call is None:
        return _report_nothing_to_do(store, sweep, settings)
    if call.survey.lost:
        open_stderr().print(f"{format_count(len(call.survey.lost), 'run')} lost files and will be rendered again")
    failed = FailureDocuments(store, call)
    tally = Tally(cached=call.survey.cached_runs, report_failure=failed.add)
    start = time.monotonic()
    with Interrupts() as stop:
        error = ""
        try:
            _render_runs(sweep, _select_todo(call, selected), store, settings, tally, stop)
            if settings.packs and not stop.count:
                pack_sweep(store, call.runs.keys[call.runs.numbers], stop)
        except (PoolUnavailableError, StoreFullError) as problem:
            error = str(problem)
        elapsed = time.monotonic() - start
        end = STOPPED
        if stop.count <= 1 and (tally.has_ended_runs or not (error or stop.count)):
            try:
                error = _commit(store, call, tally, failed, elapsed, settings.others, stop) or error
            except CommitStoppedError as stopped:
                end = str(stopped)
    if stop.count:
        return _print_end(end, stop.exit_code)
    if error:
        return _print_end(f"error: {error}", ExitCode.RUNS_FAILED if tally.failures else ExitCode.TRY_AGAIN)
    return ExitCode.RUNS_FAILED if tally.failures else ExitCode.OK


def _commit(
    store: FolderStore,
    call: RenderCall,
    tally: Tally,
    failed: FailureDocuments,
    elapsed: float,
    others: OtherRuns,
    stop: Interrupts,
) -> str:
    """Print the summary, commit the existing runs as the dataset, print its paths; return the problem, if any.

    Without a run there is no dataset to commit, and nothing of the attempt stays. Raises CommitStoppedError.
    """
    print_summary(tally, elapsed, open_stdout())
    if not (call.attempt.document.cached or tally.succeeded):
        store.remove_folder(call.attempt.path)
        open_stdout().print()
        print_paths({"log": store.root / WORKER_LOG}, open_stdout())
        return ""
    try:
        if others is not OtherRuns.REPLACE:
            check_other_runs(store, call)
        failures = [*call.earlier_failures, *map(failed.renumber, tally.failures)]
        dataset = write_dataset(store, call.attempt, failures, stop)
        failed.remove()
    except InputError as refusal:
        return str(refusal)
    except StoreFullError as full:
        return f"the dataset's documents could not be written: {full}"
    _print_paths(store, dataset, with_log=bool(tally.failures))
    return ""


def _select_todo(call: RenderCall, selected: Sequence[range]) -> list[range]:
    """Return the runs to do among the selected ranges."""
    parts = [range(max(part.start, first), min(part.stop, end)) for first, end in call.survey.todo for part in selected]
    return [part for part in parts if part]


def _render_runs(
    sweep: Sweep, numbers: Sequence[range], store: FolderStore, settings: RenderSettings, tally: Tally, stop: Interrupts
) -> None:
    """Render runs into the store and the tally. Raises PoolUnavailableError."""
    todo = sum(map(len, numbers))
    if todo:
        tasks = map(TaskBuilder(sweep).build, chain.from_iterable(numbers))
        render_tasks(tasks, todo, store, settings, tally, stop, is_traced=sweep.has_traced_pictures)


def render_tasks(
    tasks: Iterator[RunTask],
    count: int,
    store: FolderStore,
    settings: RenderSettings,
    tally: Tally,
    stop: Interrupts,
    *,
    is_traced: bool,
) -> None:
    """Render `count` tasks with a pool of workers into the store and the tally, with progress.

    `is_traced` says that Cycles traces some picture. Raises PoolUnavailableError.
    """
    arguments = [f"--store={store.root}", f"--device={settings.device}", f"--engine={settings.engine}"]
    if is_traced:
        arguments.append("--prepare-device")
    with _temporary_folder(store) as temporary, open_meter(open_stderr(), "rendering", count, "run") as progress:
        folders = choose_library_folders(os.environ, temporary)
        environment = {name: size for name, size in DRIVER_CACHE_SIZES.items() if name not in os.environ} | folders
        command = WorkerCommand(tuple(arguments), temporary, store.root / WORKER_LOG, environment)
        size = min(settings.workers or compute_default_workers(), count)
        pool = Pool(command, size, stop, startup_seconds=settings.startup_seconds, notice_seconds=NOTICE_SECONDS)
        packer = Packer(store, store) if settings.packs else None
        for event in pool.events(tasks):
            if isinstance(event, RunEnded):
                tally.add(event.task, event.report)
                if packer is not None and event.report.outcome == "succeeded":
                    packer.add(event.task.key, event.report.bytes)
                    if packer.is_due:
                        packer.pack()
                _show_end(progress, event.report)
            elif tally.has_ended_runs:
                continue
            elif isinstance(event, WorkerPreparing):
                progress.show_wait(event.sentence, event.seconds)
            elif isinstance(event, WorkerCompiling):
                progress.show_wait(COMPILING, event.seconds)


def _show_end(progress: Meter, report: RunReport) -> None:
    if report.outcome == "failed":
        progress.print_line(f"run {report.number} failed: {report.reason}: {report.message}")
    progress.advance(note=f"run {report.number}: {format_duration(report.seconds)}")


@contextmanager
def _temporary_folder(store: FolderStore) -> Iterator[Path]:
    """Temporary files of the workers, in scratch: `synth gc` finds those of a killed command."""
    folder = store.new_scratch("workers").resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _report_nothing_to_do(store: FolderStore, sweep: Sweep, settings: RenderSettings) -> ExitCode:
    dataset = find_dataset(store, "local", sweep.name)
    if settings.packs and dataset is not None:
        with Interrupts() as stop:
            packed = pack_sweep(store, collect_keys(store, [dataset.folder]), stop)
            if stop.count:
                return _print_end(STOPPED, stop.exit_code)
            if packed:  # the gallery has links to files
                try:
                    write_dataset(store, open_attempt(store, dataset.folder), dataset.failures, stop)
                except CommitStoppedError as stopped:
                    return _print_end(str(stopped), stop.exit_code)
    open_stdout().print(f"nothing to render: {format_count(sweep.runs, 'run')} cached", style="bold")
    if dataset is not None:
        _print_paths(store, dataset, with_log=False)
    return ExitCode.OK


def _print_paths(store: FolderStore, dataset: DatasetDocument, *, with_log: bool) -> None:
    """Print what one opens next, a path a line; the log is for those who look for the cause of a failure."""
    folder = store.root / dataset.folder
    paths = {name: folder / file for name, file in OPENED.items() if file in dataset.file_names}
    paths["dataset"] = store.root / pointer_path(dataset.namespace, dataset.name)
    if with_log:
        paths["log"] = store.root / WORKER_LOG
    console = open_stdout()
    console.print()
    print_paths(paths, console)
    print_warnings(dataset)


def _print_end(sentence: str, code: ExitCode) -> ExitCode:
    open_stderr().print(sentence, soft_wrap=True)
    return code
