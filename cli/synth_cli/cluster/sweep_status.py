"""The status of sweeps as text and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from synth_api.resources.synth_sweep import Phase
from synth_cli.cluster.object_status import (
    build_waiting_rows,
    find_message,
    format_clock,
    format_head,
    format_span,
)
from synth_cli.terminal.formatting import format_count
from synth_cli.terminal.standard_streams import escape_invisible
from synth_cli.terminal.tables import build_fact_table, build_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from synth_api.resources.synth_sweep import FailureCount, Forecast
    from synth_cli.cluster.cluster_sweep import ClusterSweep

PHASE_STYLES: Final = {
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
_BAR_WIDTH: Final = 40
"""Columns of the terminal."""


def format_status(sweep: ClusterSweep, now: datetime, *, bar: bool) -> RenderableType:
    """Return phase, message, progress and details of a sweep; with a progress bar if `bar`."""
    parts = [*format_head(sweep, PHASE_STYLES[sweep.status.phase])]
    if bar and sweep.status.runs.total:
        parts += [_build_bar(sweep), Text()]
    parts.append(build_fact_table(_build_rows(sweep, now)))
    return Group(*parts)


def format_status_line(sweep: ClusterSweep) -> str:
    """Return the status of a sweep as one line, for a log."""
    runs = sweep.status.runs
    failed = f", {runs.failed:,} failed" if runs.failed else ""
    done = f"{runs.existing:,} of {format_count(runs.total, 'run')}"
    return f"{sweep.status.phase.value}: {done}{failed}. {find_message(sweep)}".strip()


def build_sweeps_table(sweeps: Sequence[ClusterSweep], now: datetime) -> Table:
    """Return a table with one row per sweep."""
    table = build_table("sweep", "phase", "done", "total", "cached", "failed", "ends", "age", right=_NUMBER_COLUMNS)
    for sweep in sweeps:
        status, runs = sweep.status, sweep.status.runs
        table.add_row(
            sweep.name,
            Text(status.phase.value, style=PHASE_STYLES[status.phase]),
            *(f"{number:,}" for number in (runs.existing, runs.total, runs.cached)),
            Text(f"{runs.failed:,}", style="red" if runs.failed else ""),
            f"in {format_span(now, status.eta)}" if status.eta and status.eta > now else "",
            format_span(sweep.created, now),
        )
    return table


_NUMBER_COLUMNS: Final = ("done", "total", "cached", "failed", "age")


def format_reasons(counts: Sequence[FailureCount]) -> str:
    """Format reasons and counts as `WorkerDied 2, GateFailed 1`."""
    return escape_invisible(", ".join(f"{entry.reason} {entry.runs:,}" for entry in counts))


def _build_bar(sweep: ClusterSweep) -> RenderableType:
    runs = sweep.status.runs
    style = "red" if sweep.status.phase is Phase.FAILED else "green"
    line = Table.grid(padding=(0, 2, 0, 0))
    bar = ProgressBar(
        total=runs.total, completed=runs.existing, width=_BAR_WIDTH, complete_style=style, finished_style=style
    )
    line.add_row(bar, Text(f"{100 * runs.existing // runs.total} %"))
    return line


def _build_rows(sweep: ClusterSweep, now: datetime) -> Iterator[tuple[str, str | Text]]:
    status, spec = sweep.status, sweep.spec
    runs = status.runs
    if runs.total:
        yield "runs", f"{runs.existing:,} of {runs.total:,} exist: {runs.cached:,} cached, {runs.succeeded:,} rendered"
    if runs.failed:
        yield "failed", Text(f"{runs.failed:,} ({format_reasons(status.failure_reasons)})", style="red")
    if status.phase in (Phase.RENDERING, Phase.WAITING):
        yield "pods", f"{runs.active:,} of {spec.parallelism:,} running"
    if status.devices:
        yield "gpus", escape_invisible("; ".join(status.devices))
    if status.runs_per_minute:
        yield "pace", f"{status.runs_per_minute:.3g} runs a minute"
    if status.eta and status.eta > now:
        yield "ends", f"about {format_clock(status.eta, now)}, in {format_span(now, status.eta)}"
    if status.forecast:
        yield "forecast", f"about {_format_forecast(status.forecast)} in all"
    yield from build_waiting_rows(sweep, now)
    if status.completion_time and status.start_time:
        yield "took", format_span(status.start_time, status.completion_time)
    yield "recipe", spec.recipe_ref.name if spec.recipe_ref else "inline"
    if status.dataset:
        yield "dataset", status.dataset


def _format_forecast(forecast: Forecast) -> str:
    """Format hours and cost; a sweep on CPUs has no GPU hours to show."""
    amounts = [f"{forecast.gpu_hours:,g} GPU hours"] if forecast.gpu_hours else []
    amounts.append(f"{forecast.cpu_hours:,g} CPU hours")
    if forecast.cost is not None and forecast.gpu_hours:
        amounts.append(f"cost {forecast.cost:,g}")
    return ", ".join(amounts)
