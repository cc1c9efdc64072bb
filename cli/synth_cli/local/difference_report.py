"""Report of the difference of two datasets: a table for people, a document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_cli.local.run_tally import format_overrides
from synth_cli.terminal.formatting import format_count, shorten
from synth_cli.terminal.tables import build_fact_table, build_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.comparison.dataset_difference import DatasetDifference, RunDifference
    from synth_dataset.comparison.value_changes import ValueChange

_SHOWN_CHANGES = 4
"""Changed values that the table shows of a run."""
_SHOWN_VALUES = 8
"""Values of an axis that a line shows."""


def print_difference(one: DatasetSource, two: DatasetSource, difference: DatasetDifference, console: Console) -> None:
    """Print counts, the difference of axes and recipes, and a table of the runs that differ."""
    counts = difference.counts
    names = f"{one.location} and {two.location}"
    if difference.is_equal:
        console.print(f"{names}: {format_count(counts.equal, 'equal run')}", style="bold", soft_wrap=True)
    else:
        parts = [f"{number:,} {what}" for what, number in counts._asdict().items() if number]
        console.print(f"{names}: runs {', '.join(parts)}", style="bold", soft_wrap=True)
    facts = list(_list_facts(difference))
    if facts:
        console.print()
        console.print(build_fact_table(facts))
    if not difference.is_equal:
        console.print()
        console.print(_build_runs_table(difference))
        listed = len(difference.changed) + len(difference.removed) + len(difference.added)
        if rest := counts.changed + counts.removed + counts.added - listed:
            console.print(f"and {format_count(rest, 'more run')}")


def _list_facts(difference: DatasetDifference) -> Iterator[tuple[str, str]]:
    before, after = difference.engine_versions
    if before != after:
        yield "engine version", f"{before} → {after}"
    for axis in difference.axes:
        parts = [
            f"{sign} {_format_values(values)}" for sign, values in (("-", axis.removed), ("+", axis.added)) if values
        ]
        yield "axis", f"{axis.path}: {', '.join(parts)}"
    for change in difference.recipe:
        yield "recipe", format_change(change)


def _build_runs_table(difference: DatasetDifference) -> Any:
    table = build_table("A", "B", "run", "values", "difference", right=("A", "B"))
    kinds = (("changed", difference.changed), ("removed", difference.removed), ("added", difference.added))
    for kind, runs in kinds:
        for run in runs:
            numbers = ["" if number is None else str(number) for number in (run.run, run.other_run)]
            table.add_row(*numbers, kind, format_overrides(run.overrides), _describe(run))
    return table


def _describe(run: RunDifference) -> str:
    lines = [format_change(change) for change in run.changes[:_SHOWN_CHANGES]]
    if len(run.changes) > _SHOWN_CHANGES:
        lines.append(f"and {len(run.changes) - _SHOWN_CHANGES:,} more values")
    if run.what in ("labels", "files"):
        lines.insert(0, "other labels of one recipe" if run.what == "labels" else "equal labels in other files")
    return "\n".join(lines)


def format_change(change: ValueChange) -> str:
    """Return path, old and new value; a value that is added or removed has a sign before it."""
    match change.op:
        case "add":
            return f"{change.path}: + {shorten(change.new)}"
        case "remove":
            return f"{change.path}: - {shorten(change.old)}"
    return f"{change.path}: {shorten(change.old)} → {shorten(change.new)}"


def _format_values(values: Sequence[Any]) -> str:
    shown = ", ".join(shorten(value, 24) for value in values[:_SHOWN_VALUES])
    more = f" and {len(values) - _SHOWN_VALUES:,} more" if len(values) > _SHOWN_VALUES else ""
    return f"{shown}{more}"


def build_document(one: DatasetSource, two: DatasetSource, difference: DatasetDifference) -> dict[str, Any]:
    """Return the document of `-o json`."""
    before, after = difference.engine_versions
    return {
        "equal": difference.is_equal,
        "datasets": [_build_dataset(source) for source in (one, two)],
        "runs": difference.counts._asdict(),
        "engine_version": {"old": before, "new": after},
        "axes": [axis._asdict() for axis in difference.axes],
        "recipe": _list_documents(difference.recipe),
        "changed": [_build_run(run) for run in difference.changed],
        "removed": [_build_run(run) for run in difference.removed],
        "added": [_build_run(run) for run in difference.added],
    }


def _build_dataset(source: DatasetSource) -> dict[str, Any]:
    dataset = source.dataset
    return {
        "name": dataset.name,
        "location": source.store.location,
        "runs": dataset.runs,
        "root": dataset.root,
    }


def _build_run(run: RunDifference) -> dict[str, Any]:
    return {
        "run": run.run,
        "other_run": run.other_run,
        "overrides": dict(run.overrides),
        "what": run.what,
        "changes": _list_documents(run.changes),
    }


def _list_documents(changes: Iterable[ValueChange]) -> list[dict[str, Any]]:
    return [change._asdict() for change in changes]
