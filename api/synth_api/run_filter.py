"""Filters of runs: `number <= 300 and (material = gold or not visible < 5)` over axes and columns of the index.

A comparison is a column, an operator and a value; `and`, `or`, `not` and parentheses as in set expressions.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from typing_extensions import override

from synth_api.errors import InputError
from synth_api.problems import quote_value
from synth_api.recipe.expression import Criterion, Expression, ExpressionParser
from synth_api.splits import find_column, parse_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

OPTION: Final = "--where"
INDEX_COLUMNS: Final = (
    *("run", "key", "seed", "particles", "visible", "seconds", "folder", "width", "height", "pixel_size"),
    *("label_digest", "split", "pictures"),
)
"""Columns that the index of every dataset has, besides its axes."""
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class _Comparison:
    column: str
    operator: str
    value: Any

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return True if the row has a value that compares so. Raises InputError for text compared with a number."""
        found = row[self.column]
        if found is None:
            return False
        if self.operator[0] in "<>" and isinstance(found, str) != isinstance(self.value, str):
            problem = f"'{self.column}' has {quote_value(found)}, which {self.operator} {quote_value(self.value)} "
            raise InputError(OPTION, f"{problem}does not compare with; take = or !=")
        return _OPERATORS[self.operator](found, self.value)


@dataclass(frozen=True)
class RunFilter:
    """A parsed filter of runs."""

    expression: Expression
    comparisons: Mapping[str, _Comparison]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the filter reads."""
        return tuple(dict.fromkeys(comparison.column for comparison in self.comparisons.values()))

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return True if the filter keeps a run, given its columns. Raises InputError."""
        kept: int = self.expression.evaluate(
            lambda name: -self.comparisons[name].holds(row),  # bools as 0 and -1, for which ~ is `not`
            lambda constant: -constant,
        )
        return bool(kept)


def parse_run_filter(text: str, columns: Iterable[str]) -> RunFilter:
    """Parse a filter over columns, which may be named by the end of their path. Raises InputError with its position."""
    parser = _FilterParser(text, tuple(columns))
    try:
        return RunFilter(parser.read_whole(), parser.comparisons)
    except InputError as error:
        raise InputError(OPTION, error.problem) from None


class _FilterParser(ExpressionParser):
    what: ClassVar[str] = "a filter of runs"
    tokens: ClassVar[re.Pattern[str]] = re.compile(
        r"""\s*(?P<text>"[^"]*"|'[^']*'|[<>!=]=|[<>=]|[()]|[-+\w.\[\]]+|\S)"""
    )

    def __init__(self, text: str, columns: tuple[str, ...]) -> None:
        super().__init__(text)
        self._columns = columns
        self.comparisons: dict[str, _Comparison] = {}

    @override
    def read_operand(self) -> Expression:
        column = self._take_word("an axis or column")
        relation = self.next_text
        if relation not in _OPERATORS:
            self.fail(f"one of {' '.join(_OPERATORS)}")
        self.take(relation)
        value = parse_scalar(self._take_word("a value"))
        found = _Comparison(find_column(column, self._columns, OPTION), relation, value)
        name = f"{found.column} {relation} {value!r}"
        self.comparisons[name] = found
        return Criterion(name)

    def _take_word(self, expected: str) -> str:
        word = self.next_text
        if not re.fullmatch(r"""[-+\w.\[\]]+|"[^"]*"|'[^']*'""", word):
            self.fail(expected)
        self.take(word)
        return word
