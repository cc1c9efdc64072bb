"""What became of the runs of one call of `synth render`, and how that is told at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from synth_cli.terminal.consoles import count, duration, facts, short
from synth_dataset.documents.failed_run import FailedRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from synth_renderer.runtime.protocol import RunReport, RunTask

LISTED: Final = 20
"""Failed runs that the summary names; the dataset's failures are all in its documents."""


@dataclass
class Tally:
    """Counts runs as they end."""

    cached: int
    succeeded: int = 0
    dropped: int = 0
    seconds: float = 0.0
    failures: list[FailedRun] = field(default_factory=list)

    @property
    def has_news(self) -> bool:
        """Whether a run has ended, well or badly."""
        return bool(self.succeeded or self.failures)

    def add(self, task: RunTask, report: RunReport) -> None:
        """One more run has ended."""
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


def tell(tally: Tally, elapsed: float, console: Console) -> None:
    """The summary: how many succeeded, were there already, failed; then the failed ones with their reasons."""
    if tally.cached and not (tally.has_news or tally.dropped):
        console.print(f"nothing to render: {count(tally.cached, 'run')} there already", style="bold")
        return
    parts = [f"{count(tally.succeeded, 'run')} rendered in {duration(elapsed)}"]
    if tally.cached:
        parts.append(f"{tally.cached:,} there already")
    if tally.dropped:
        parts.append(f"{tally.dropped:,} dropped")
    if tally.failures:
        parts.append(f"{len(tally.failures):,} failed")
    console.print(", ".join(parts), style="bold red" if tally.failures else "bold")
    if tally.failures:
        console.print()
        tell_failures(tally.failures, console)


def tell_failures(failures: list[FailedRun], console: Console) -> None:
    """For each failed run its number and overrides, and below them its reason; of many the first."""
    failures = sorted(failures, key=lambda failure: failure.number)
    console.print(facts((f"run {failure.number}", _failure_words(failure)) for failure in failures[:LISTED]))
    if len(failures) > LISTED:
        console.print(f"and {count(len(failures) - LISTED, 'more failed run')}")


def _failure_words(failure: FailedRun) -> str:
    return f"{override_words(failure.overrides)}\n{failure.reason}: {failure.message}".lstrip()


def override_words(overrides: Mapping[str, Any]) -> str:
    """`number=100 gravity.2=-100`: the end of each path is enough beside its value."""
    return " ".join(f"{_path_end(path)}={short(value, 24)}" for path, value in overrides.items())


def _path_end(path: str) -> str:
    words = path.split(".")
    return ".".join(words[-2:] if words[-1].isdigit() else words[-1:])
