"""Commit of a dataset on this machine: with progress on stderr, and stopped by Ctrl-C between two runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from synth_cli.terminal.consoles import open_stderr
from synth_cli.terminal.progress import QUIET_SECONDS, open_meter
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.attempts.dataset_commit import commit_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.console import Console

    from synth_cli.local.interrupts import Interrupts
    from synth_cli.terminal.progress import Meter
    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.base import Store

UPDATE_SECONDS: Final = 0.1
"""Time between two updates of a bar."""


class CommitStoppedError(Exception):
    """A signal ended a commit; the message says what remains."""


def write_dataset(
    store: Store, attempt: StoredAttempt, failures: Sequence[FailedRun], stop: Interrupts, least_runs: int = 0
) -> DatasetDocument:
    """Commit an attempt under a meter. Raises CommitStoppedError at a further signal, and as `commit_dataset`."""
    with CommitMeter(open_stderr(), stop) as meter:
        try:
            return commit_dataset(store, attempt, failures, progress=meter, least_runs=least_runs)
        except _SignalError:
            dataset = find_dataset(store, attempt.document.namespace, attempt.document.name)
            remains = "no dataset was committed" if dataset is None else "the dataset committed before stays"
            raise CommitStoppedError(
                f"stopped while writing the dataset: every finished run is kept, {remains}; the same call ends it"
            ) from None


class _SignalError(Exception):
    """A signal arrived during a commit."""


class CommitMeter:
    """Progress of a commit: one meter after the other, for the dataset and each of its views."""

    def __init__(self, console: Console, stop: Interrupts) -> None:
        self._console = console
        self._stop = stop
        self._signals = stop.count
        self._what = ""
        self._done = 0
        self._meter: Meter | None = None
        self._quiet_until = time.monotonic() + QUIET_SECONDS
        self._next = 0.0

    def __enter__(self) -> CommitMeter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._meter is not None:
            self._meter.__exit__(kind, error, trace)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` runs are in a document."""
        if self._stop.count > self._signals:
            raise _SignalError(f"signal {self._stop.count}")
        now = time.monotonic()
        if what != self._what:
            self._open(what, total, max(0.0, self._quiet_until - now))
        elif now < self._next and done < total:
            return
        self._next = now + UPDATE_SECONDS
        if self._meter is not None:
            self._meter.advance(done - self._done)
            self._done = done

    def _open(self, what: str, total: int, quiet_seconds: float) -> None:
        self.__exit__(None, None, None)
        self._meter = open_meter(self._console, f"writing {what}:", total, "run", quiet_seconds)
        self._meter.__enter__()
        self._what, self._done = what, 0
