"""Run numbers as `--only 0-9,17` gives them."""

from __future__ import annotations

import re

from synth_api.errors import InputError

_PART = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


def parse_run_numbers(text: str, total: int) -> tuple[range, ...]:
    """Parse run numbers into ascending, disjoint ranges below `total`. Raises InputError naming the invalid part."""
    ranges: list[range] = []
    for part in sorted((_parse_part(part.strip(), total) for part in text.split(",")), key=lambda part: part.start):
        if ranges and part.start <= ranges[-1].stop:
            ranges[-1] = range(ranges[-1].start, max(ranges[-1].stop, part.stop))
        else:
            ranges.append(part)
    return tuple(ranges)


def _parse_part(part: str, total: int) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise InputError("--only", f"'{part[:40]}' is neither a run number nor a range; write for example 0-9,17")
    first = int(match[1])
    last = int(match[2] or first)
    if last < first:
        raise InputError("--only", f"'{part}' ends before it begins; write {last}-{first}")
    if last >= total:
        raise InputError("--only", f"there is no run {last}; this sweep has runs 0 to {total - 1}")
    return range(first, last + 1)
