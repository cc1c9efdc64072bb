"""Set expressions: `$IsParticle and not ($Big or $Dark)`.

    expression := and-term ("or" and-term)*
    and-term   := not-term ("and" not-term)*
    not-term   := "not"* ("True" | "False" | "$" name | "(" expression ")")

Keywords are case-sensitive whole words; a name is the longest run of letters, digits and underscores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar

from synth_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_TOKEN: Final = re.compile(r"\s*(?P<text>\$\w*|\w+|[()]|\S)")
_KEYWORDS: Final = {"and", "or", "not", "True", "False"}
_MAX_DEPTH: Final = 100


class Expression:
    """A parsed set expression."""

    def evaluate(self, criterion: Callable[[str], T], constant: Callable[[bool], T]) -> T:
        """Return the value of the expression; `criterion` gives the value of a name, `constant` that of True and False.

        T needs `&`, `|` and `~` of a Boolean algebra: numpy's bool arrays have them, and Python's integers 0 and -1.
        """
        raise NotImplementedError

    def list_names(self) -> Iterator[str]:
        """Yield the names of its criteria in order of appearance, with repeats."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Constant(Expression):
    value: bool

    def evaluate(self, criterion: Callable[[str], T], constant: Callable[[bool], T]) -> T:  # noqa: ARG002
        return constant(self.value)

    def list_names(self) -> Iterator[str]:
        return iter(())


@dataclass(frozen=True)
class _Criterion(Expression):
    name: str

    def evaluate(self, criterion: Callable[[str], T], constant: Callable[[bool], T]) -> T:  # noqa: ARG002
        return criterion(self.name)

    def list_names(self) -> Iterator[str]:
        yield self.name


@dataclass(frozen=True)
class _Not(Expression):
    operand: Expression

    def evaluate(self, criterion: Callable[[str], T], constant: Callable[[bool], T]) -> T:
        value: Any = self.operand.evaluate(criterion, constant)
        inverted: T = ~value
        return inverted

    def list_names(self) -> Iterator[str]:
        return self.operand.list_names()


@dataclass(frozen=True)
class _Junction(Expression):
    """`and` or `or` of two or more operands."""

    operator: Callable[[Any, Any], Any]
    operands: tuple[Expression, ...]

    def evaluate(self, criterion: Callable[[str], T], constant: Callable[[bool], T]) -> T:
        value: T = reduce(self.operator, (operand.evaluate(criterion, constant) for operand in self.operands))
        return value

    def list_names(self) -> Iterator[str]:
        for operand in self.operands:
            yield from operand.list_names()


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> Expression:
    """Parse a set expression. Raises InputError (without a path) that says at which position, counted from 1."""
    return _Parser(text).whole()


class _Token(NamedTuple):
    text: str
    position: int


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [_Token(match["text"], match.start("text") + 1) for match in _TOKEN.finditer(text)]
        self._tokens.append(_Token("", len(text) + 1))
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._junction("or", or_, self._and_term)
        if self._tokens[self._next].text:
            self._fail("'and', 'or' or the end")
        return expression

    def _and_term(self) -> Expression:
        return self._junction("and", and_, self._not_term)

    def _junction(
        self, word: str, operator: Callable[[Any, Any], Any], operand: Callable[[], Expression]
    ) -> Expression:
        operands = [operand()]
        while self._take(word):
            operands.append(operand())
        return operands[0] if len(operands) == 1 else _Junction(operator, tuple(operands))

    def _not_term(self) -> Expression:
        inverted = False
        while self._take("not"):
            inverted = not inverted
        operand = self._operand()
        return _Not(operand) if inverted else operand

    def _operand(self) -> Expression:
        text = self._tokens[self._next].text
        if self._take("("):
            return self._parenthesis()
        if text in ("True", "False"):
            self._next += 1
            return _Constant(text == "True")
        if text.startswith("$") and len(text) > 1:
            self._next += 1
            return _Criterion(text[1:])
        self._fail("'$' and a criterion's name, 'True', 'False', 'not' or '('")

    def _parenthesis(self) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._fail(f"at most {_MAX_DEPTH} parentheses within each other")
        expression = self._junction("or", or_, self._and_term)
        if not self._take(")"):
            self._fail("')', 'and' or 'or'")
        self._depth -= 1
        return expression

    def _take(self, text: str) -> bool:
        found = self._tokens[self._next].text == text
        self._next += found
        return found

    def _fail(self, expected: str) -> NoReturn:
        token = self._tokens[self._next]
        found = f"'{token.text}'" if token.text else "the end"
        lower = token.text.lower()
        keyword = next((word for word in _KEYWORDS if word.lower() == lower and word != token.text), None)
        hint = f"; keywords are case-sensitive: '{keyword}'" if keyword else ""
        raise InputError(
            "",
            f"'{self._text}' is not a set expression: at position {token.position} expected {expected}, "
            f"found {found}{hint}",
        )
