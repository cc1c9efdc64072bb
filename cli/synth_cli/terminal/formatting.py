"""Numbers and values as people read them."""

from __future__ import annotations

import json

from synth_cli.terminal.standard_streams import escape_invisible


def shorten(value: object, width: int = 60) -> str:
    """Return a value as a recipe writes it, cut to `width` characters with an ellipsis."""
    text = escape_invisible(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def format_duration(seconds: float) -> str:
    """Format seconds as `0.4 s`, `38 s`, `4 min 10 s`, `2 h 05 min` or `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def format_count(number: int, thing: str) -> str:
    """Format a number of things as `1 run`, `180 runs` or `1,000,000 runs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def format_size(bytes_: int) -> str:
    """Format bytes in decimal units, as `812 B` or `3.4 MB`."""
    value = float(bytes_)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
