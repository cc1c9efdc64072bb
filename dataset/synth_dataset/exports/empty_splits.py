"""Why splits of an export have no runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synth_dataset.exports.selection import select_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.splits import Splits
    from synth_dataset.exports.export_format import ExportContext


def explain_empty_splits(context: ExportContext) -> Iterator[str]:
    """Yield a sentence for each split of an export that has no runs: the option that leaves none, and what helps."""
    options, everything = context.options, ("",) * len(context.sources)
    empty = context.selection.list_empty_splits()
    if empty and options.limit is not None:
        found, empty = _split_by_runs(context, empty, options.splits, context.filters)
        yield from (
            f"split {split} has no runs among the first {options.limit:,}; take a larger --limit" for split in found
        )
    if empty and any(context.filters):
        found, empty = _split_by_runs(context, empty, options.splits, everything)
        yield from (f"split {split} has no runs that --where keeps; let it keep more" for split in found)
    shared = {share.split for share in options.splits.shares}
    for split in [one for one in empty if one not in shared]:
        yield f"split {split} has no runs, because none has a value that --split-by gives it; look at the values"
    empty = [one for one in empty if one in shared]
    if empty and options.splits.rules:
        found, empty = _split_by_runs(context, empty, replace(options.splits, rules=()), everything)
        yield from (
            f"split {split} has no runs, because --split-by gives them to others; give it fewer" for split in found
        )
    for split in empty:
        problem = "those of one seed, or of one value of the group, are in one split"
        yield f"split {split} has no runs; {problem}; take more of these, or another salt"


def _split_by_runs(
    context: ExportContext, names: Sequence[str], splits: Splits, filters: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return which of the splits have runs without a limit, with these rules and filters, and which have none."""
    empty = select_runs(context.sources, splits, filters).list_empty_splits()
    return [name for name in names if name not in empty], [name for name in names if name in empty]
