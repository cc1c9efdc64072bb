"""Runs of a dataset that are rendered again after a verification: some at random to compare, or those with faults."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from synth_api.errors import TryAgainError
from synth_api.version import ENGINE_VERSION
from synth_cli.local.dataset_writing import CommitStoppedError, write_dataset
from synth_cli.local.interrupts import Interrupts
from synth_cli.local.rendered_again import compare_runs, read_run, render_again, replace_runs, restore_recipe
from synth_cli.terminal.consoles import open_stderr
from synth_cli.terminal.formatting import format_count
from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.dataset_index import open_index
from synth_dataset.verification.fault import Checked
from synth_renderer.runtime.pool import PoolUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_cli.local.rendered_again import StoredRun
    from synth_cli.local.run_tally import Tally
    from synth_cli.local.verification_report import VerificationReport
    from synth_dataset.attempts.dataset_source import DatasetSource


def rerender_runs(source: DatasetSource, count: int, engine: str, report: VerificationReport) -> None:
    """Render random runs of a dataset again, the same at every call, and add how they compare to a report.

    Raises TryAgainError, StoreError, KeyboardInterrupt.
    """
    rows = open_index(source).draw_rows("rerender", count=count)
    runs = _read_runs(source, (row["run"] for row in rows), report)
    with _render_with_notes(source, runs, engine, report) as again:
        for outcome in compare_runs(source, runs, again):
            if isinstance(outcome, Checked):
                report.rerendered += 1
                report.add(replace(outcome, run=None))
            else:
                report.notes.append(outcome)


def repair_dataset(source: DatasetSource, engine: str, report: VerificationReport) -> bool:
    """Render the runs with faults again and commit the dataset again; return False if some run cannot be rendered.

    Then the documents stay as they are. Raises InputError, TryAgainError, StoreError, KeyboardInterrupt.
    """
    if isinstance(source.store, FolderStore):
        source.store.check_writable("nothing can be repaired in it")
    restore_recipe(source)
    numbers = sorted(report.damaged_runs)
    runs = _read_runs(source, iter(numbers), report)
    with _render_with_notes(source, runs, engine, report) as again:
        report.repaired = replace_runs(source, runs, again)
    if report.repaired < len(numbers):
        missing = format_count(len(numbers) - report.repaired, "run")
        report.notes.append(f"{missing} could not be rendered again, so the documents of the dataset stay as they are")
        return False
    with Interrupts() as stop:
        try:
            write_dataset(
                source.store, open_attempt(source.store, source.dataset.folder), source.dataset.failures, stop
            )
        except CommitStoppedError as stopped:
            open_stderr().print(str(stopped))
            raise KeyboardInterrupt from stopped
    return True


def _read_runs(source: DatasetSource, numbers: Iterator[int], report: VerificationReport) -> list[StoredRun]:
    runs = []
    for number in numbers:
        run = read_run(source, number)
        if run is not None:
            runs.append(run)
            continue
        report.notes.append(f"run {number} cannot be rendered again: {_explain_key(source)}")
    return runs


def _explain_key(source: DatasetSource) -> str:
    """Return why no recipe of a run gives its key."""
    version = source.attempt.engine_version
    if version not in (None, ENGINE_VERSION):
        return f"the dataset has engine version {version}, this release {ENGINE_VERSION}; take the release that made it"
    return "neither manifest nor plan has a recipe with its key; the synth render that made the dataset renders it"


@contextmanager
def _render_with_notes(
    source: DatasetSource, runs: list[StoredRun], engine: str, report: VerificationReport
) -> Iterator[FolderStore]:
    """Render runs into a temporary store; the failed ones become notes."""
    with Interrupts() as stop:
        try:
            with render_again(source, runs, engine, stop) as (again, tally):
                _note_failures(tally, report)
                if stop.count:
                    open_stderr().print("stopped; nothing was changed")
                    raise KeyboardInterrupt
                yield again
        except PoolUnavailableError as error:
            raise TryAgainError(str(error)) from error


def _note_failures(tally: Tally, report: VerificationReport) -> None:
    for failure in tally.failures:
        report.notes.append(f"run {failure.number} cannot be rendered again: {failure.reason}: {failure.message}")
