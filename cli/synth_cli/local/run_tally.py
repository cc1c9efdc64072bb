"""Outcomes of the runs of one call of `synth render`, and their summary."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from synth_cli.terminal.formatting import format_count, format_duration, shorten
from synth_cli.terminal.tables import build_fact_table
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.views.progress import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from synth_renderer.runtime.protocol import RunReport, RunTask

MAX_LISTED_FAILURES: Final = 20
"""Failed runs that the summary lists; dataset.json lists all."""


@dataclass
class Tally:
    """Counts of ended runs by outcome."""

    cached: int
    succeeded: int = 0
    dropped: int = 0
    seconds: float = 0.0
    failures: list[FailedRun] = field(default_factory=list)
    report_failure: Callable[[FailedRun], None] = ignore_progress
    """Called with each failed run."""

    @property
    def has_ended_runs(self) -> bool:
        """True if a run has succeeded or failed."""
        return bool(self.succeeded or self.failures)

    def add(self, task: RunTask, report: RunReport) -> None:
        """Count a run that has ended."""
        match report.outcome:
            case "succeeded" | "present":
                self.succeeded += 1
                self.seconds += report.seconds
            case "dropped":
                self.dropped += 1
            case "failed":
                failed = FailedRun(
                    number=task.number, overrides=task.overrides, reason=report.reason, message=report.message
                )
                self.failures.append(failed)
                self.report_failure(failed)


def print_summary(tally: Tally, elapsed: float, console: Console) -> None:
    """Print the counts, then the failed runs with their reasons; `elapsed` in seconds."""
    if tally.cached and not (tally.has_ended_runs or tally.dropped):
        console.print(f"nothing to render: {format_count(tally.cached, 'run')} cached", style="bold")
        return
    parts = [f"{format_count(tally.succeeded, 'run')} rendered in {format_duration(elapsed)}"]
    if tally.cached:
        parts.append(f"{tally.cached:,} cached")
    if tally.dropped:
        parts.append(f"{tally.dropped:,} dropped")
    if tally.failures:
        parts.append(f"{len(tally.failures):,} failed")
    console.print(", ".join(parts), style="bold red" if tally.failures else "bold")
    if tally.failures:
        console.print()
        print_failures(tally.failures, console)


def print_failures(failures: list[FailedRun], console: Console) -> None:
    """Print number, overrides, reason and message of each failed run, up to MAX_LISTED_FAILURES."""
    failures = sorted(failures, key=lambda failure: failure.number)
    console.print(
        build_fact_table(
            (f"run {failure.number}", _format_failure(failure)) for failure in failures[:MAX_LISTED_FAILURES]
        )
    )
    if len(failures) > MAX_LISTED_FAILURES:
        console.print(f"and {format_count(len(failures) - MAX_LISTED_FAILURES, 'more failed run')}")


def _format_failure(failure: FailedRun) -> str:
    return f"{format_overrides(failure.overrides)}\n{failure.reason}: {failure.message}".lstrip()


def format_overrides(overrides: Mapping[str, Any]) -> str:
    """Format overrides as `number=100 gravity.2=-100`, with the end of each path."""
    return " ".join(f"{_path_end(path)}={shorten(value, 24)}" for path, value in overrides.items())


def _path_end(path: str) -> str:
    words = path.split(".")
    return ".".join(words[-2:] if words[-1].isdigit() else words[-1:])
