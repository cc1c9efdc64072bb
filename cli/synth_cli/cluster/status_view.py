"""How a sweep goes, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from synth_api.resources.conditions import ConditionType
from synth_api.resources.synth_sweep import Phase
from synth_cli.cluster.remedies import find_remedy
from synth_cli.terminal.consoles import columns, count, duration, facts
from synth_cli.terminal.standard_streams import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from synth_api.resources.synth_sweep import FailureCount
    from synth_cli.cluster.cluster_sweep import ClusterSweep

STYLES: Final = {
    Phase.PENDING: "dim",
    Phase.PLANNING: "cyan",
    Phase.WAITING: "yellow",
    Phase.RENDERING: "cyan",
    Phase.FINALIZING: "cyan",
    Phase.SUSPENDED: "dim",
    Phase.COMPLETE: "green",
    Phase.FAILED: "red",
    Phase.DELETING: "dim",
}
_BAR: Final = 40


def status_view(sweep: ClusterSweep, now: datetime, *, bar: bool) -> RenderableType:
    """Phase, progress and what stands behind it; `bar` where colours can be seen."""
    phase = sweep.status.phase
    head = Text.assemble((sweep.name, "bold"), "  ", (phase.value, f"bold {STYLES[phase]}"))
    parts: list[RenderableType] = [head]
    message = _message(sweep)
    if message:
        parts.append(Text(visible(message), style="red" if phase is Phase.FAILED else ""))
    parts.append(Text())
    if bar and sweep.status.runs.total:
        parts += [_bar(sweep), Text()]
    parts.append(facts(_rows(sweep, now)))
    return Group(*parts)


def status_line(sweep: ClusterSweep) -> str:
    """The same in one line, for a log."""
    runs = sweep.status.runs
    failed = f", {runs.failed:,} failed" if runs.failed else ""
    progress = f"{runs.existing:,} of {count(runs.total, 'run')}{failed}"
    return f"{sweep.status.phase.value}: {progress}. {_message(sweep)}".strip()


def sweeps_table(sweeps: Sequence[ClusterSweep], now: datetime) -> Table:
    """A line for each sweep."""
    table = columns("sweep", "phase", "done", "total", "cached", "failed", "ends", "age", right=_NUMBERS)
    for sweep in sweeps:
        status, runs = sweep.status, sweep.status.runs
        table.add_row(
            sweep.name,
            Text(status.phase.value, style=STYLES[status.phase]),
            *(f"{number:,}" for number in (runs.existing, runs.total, runs.cached)),
            Text(f"{runs.failed:,}", style="red" if runs.failed else ""),
            f"in {_span(now, status.eta)}" if status.eta and status.eta > now else "",
            _span(sweep.created, now),
        )
    return table


_NUMBERS: Final = ("done", "total", "cached", "failed", "age")


def document(sweep: ClusterSweep) -> dict[str, Any]:
    """The same for a program: the status with the sweep's name."""
    status = sweep.status.model_dump(mode="json", exclude_none=True)
    return {"name": sweep.name, "namespace": sweep.namespace, "current": sweep.is_current, **status}


def reasons(counts: Sequence[FailureCount]) -> str:
    """`WorkerDied 2, GateFailed 1`."""
    return ", ".join(f"{entry.reason} {entry.runs:,}" for entry in counts)


def _message(sweep: ClusterSweep) -> str:
    if sweep.status.observed_generation == 0:
        return "No operator has looked at this sweep yet."
    if not sweep.is_current:
        return "The operator has not seen the latest edit yet."
    ready = sweep.condition(ConditionType.READY)
    return ready.message if ready else ""


def _bar(sweep: ClusterSweep) -> RenderableType:
    runs = sweep.status.runs
    style = "red" if sweep.status.phase is Phase.FAILED else "green"
    line = Table.grid(padding=(0, 2, 0, 0))
    bar = ProgressBar(total=runs.total, completed=runs.existing, width=_BAR, complete_style=style, finished_style=style)
    line.add_row(bar, Text(f"{100 * runs.existing // runs.total} %"))
    return line


def _rows(sweep: ClusterSweep, now: datetime) -> Iterator[tuple[str, str | Text]]:
    status, spec = sweep.status, sweep.spec
    runs = status.runs
    if runs.total:
        yield "runs", f"{runs.existing:,} of {runs.total:,} exist: {runs.cached:,} cached, {runs.succeeded:,} rendered"
    if runs.failed:
        yield "failed", Text(f"{runs.failed:,} ({reasons(status.failure_reasons)})", style="red")
    if status.phase in (Phase.RENDERING, Phase.WAITING):
        yield "pods", f"{runs.active:,} of {spec.parallelism:,} at work"
    if status.runs_per_minute:
        yield "pace", f"{status.runs_per_minute:.3g} runs a minute"
    if status.eta and status.eta > now:
        yield "ends", f"about {_clock(status.eta, now)}, in {_span(now, status.eta)}"
    if status.waiting_since:
        yield "waits", f"since {_clock(status.waiting_since, now)}, for {_span(status.waiting_since, now)}"
    if remedy := find_remedy(sweep):
        yield "remedy", remedy
    if status.completion_time and status.start_time:
        yield "took", _span(status.start_time, status.completion_time)
    yield "recipe", spec.recipe_ref.name if spec.recipe_ref else "inline"
    if status.dataset:
        yield "dataset", status.dataset


def _clock(time: datetime, now: datetime) -> str:
    """The time of day here, with the date on another day."""
    local = time.astimezone()
    return local.strftime("%H:%M" if local.date() == now.astimezone().date() else "%a %d %b %H:%M")


def _span(start: datetime, end: datetime) -> str:
    seconds = max(0, round((end - start).total_seconds()))
    return f"{seconds} s" if seconds < 10 else duration(seconds)
