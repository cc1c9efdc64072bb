"""Writes the tables of reasons in docs/kubernetes.md from `synth_api.reasons`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synth_api.reasons import FailureReason, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parent.parent / "docs/kubernetes.md"
TABLES: dict[str, type[Reason] | type[FailureReason]] = {"conditions": Reason, "failed runs": FailureReason}
_RETRY = {True: "yes", False: "no", None: ""}


def main() -> None:
    """Replace each table of the page."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(page: str) -> str:
    """Return the page with the current rows between each pair of its marks."""
    for name, reasons in TABLES.items():
        before, begin, rest = page.partition(f"<!-- begin reasons of {name} -->\n")
        _, end, after = rest.partition(f"<!-- end reasons of {name} -->")
        page = before + begin + table(reasons) + end + after
    return page


def table(reasons: Iterable[Reason] | Iterable[FailureReason]) -> str:
    """Return a Markdown table of reasons."""
    rows = [f"| `{reason}` | {reason.remedy} | {_RETRY[reason.retry_helps]} |\n" for reason in reasons]
    return "".join(["| reason | remedy | a retry can help |\n", "|---|---|---|\n", *rows])


if __name__ == "__main__":
    main()
