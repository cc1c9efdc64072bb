"""What the status of a sweep and of a dataset have in common, as text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from synth_api.resources.conditions import ConditionType
from synth_cli.cluster.remedies import find_remedy
from synth_cli.terminal.formatting import format_duration
from synth_cli.terminal.standard_streams import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from synth_cli.cluster.cluster_object import ClusterObject


def format_head(owner: ClusterObject, style: str) -> Iterator[RenderableType]:
    """Yield a line with name and phase, in the style of the phase, and the message."""
    yield Text.assemble((owner.word, "bold"), "  ", (owner.status.phase.value, f"bold {style}"))
    if message := find_message(owner):
        yield Text(escape_invisible(message), style="red" if owner.status.phase.value == "Failed" else "")
    yield Text()


def find_message(owner: ClusterObject) -> str:
    """Return what the operator says, or that it has not looked yet."""
    if owner.status.observed_generation == 0:
        return f"No operator has observed this {owner.what} yet."
    if not owner.is_current:
        return "The operator has not observed the latest edit yet."
    ready = owner.find_condition(ConditionType.READY)
    return ready.message if ready else ""


def build_waiting_rows(owner: ClusterObject, now: datetime) -> Iterator[tuple[str, str | Text]]:
    """Yield since when it waits, and the remedy."""
    since = owner.status.waiting_since
    if since:
        yield "waits", f"since {format_clock(since, now)}, for {format_span(since, now)}"
    if remedy := find_remedy(owner):
        yield "remedy", remedy


def build_status_document(owner: ClusterObject) -> dict[str, Any]:
    """Return the JSON document of `-o json`: the status with kind, name and namespace."""
    status = owner.status.model_dump(mode="json", exclude_none=True)
    place = {"kind": owner.kind, "name": owner.name, "namespace": owner.namespace}
    return {**place, "current": owner.is_current, **status}


def format_clock(time: datetime, now: datetime) -> str:
    """Format a time as the local time of day, with the date on another day."""
    local = time.astimezone()
    return local.strftime("%H:%M" if local.date() == now.astimezone().date() else "%a %d %b %H:%M")


def format_span(start: datetime, end: datetime) -> str:
    """Format the time between two moments."""
    seconds = max(0, round((end - start).total_seconds()))
    return f"{seconds} s" if seconds < 10 else format_duration(seconds)
