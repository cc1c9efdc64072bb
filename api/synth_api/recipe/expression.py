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
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, NoReturn, TypeVar

from synth_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

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
class Criterion(Expression):
    """Operand whose value is asked for by its name."""

    name: str

    def evaluate(self, criterion: Callable[[str], T], constant: Callable[[bool], T]) -> T:  # noqa: ARG002
        """Return what `criterion` gives for the name."""
        return criterion(self.name)

    def list_names(self) -> Iterator[str]:
        """Yield the name that it has."""
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
    return ExpressionParser(text).read_whole()


class _Token(NamedTuple):
    text: str
    position: int


class ExpressionParser:
    """Recursive descent, one token ahead. A subclass may have other operands in place of `$name`, True and False."""

    what: ClassVar[str] = "a set expression"
    tokens: ClassVar[re.Pattern[str]] = re.compile(r"\s*(?P<text>\$\w*|\w+|[()]|\S)")

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [_Token(match["text"], match.start("text") + 1) for match in self.tokens.finditer(text)]
        self._tokens.append(_Token("", len(text) + 1))
        self._next = 0
        self._depth = 0

    def read_whole(self) -> Expression:
        """Parse the whole text. Raises InputError (without a path)."""
        expression = self._junction("or", or_, self._and_term)
        if self.next_text:
            self.fail("'and', 'or' or the end")
        return expression

    def _and_term(self) -> Expression:
        return self._junction("and", and_, self._not_term)

    def _junction(
        self, word: str, operator: Callable[[Any, Any], Any], operand: Callable[[], Expression]
    ) -> Expression:
        operands = [operand()]
        while self.take(word):
            operands.append(operand())
        return operands[0] if len(operands) == 1 else _Junction(operator, tuple(operands))

    def _not_term(self) -> Expression:
        inverted = False
        while self.take("not"):
            inverted = not inverted
        operand = self._parenthesis() if self.take("(") else self.read_operand()
        return _Not(operand) if inverted else operand

    def read_operand(self) -> Expression:
        """Parse an operand that is no parenthesis. Raises InputError."""
        text = self.next_text
        if self.take("True") or self.take("False"):
            return _Constant(text == "True")
        if len(text) > 1 and text.startswith("$"):
            self.take(text)
            return Criterion(text[1:])
        self.fail("'$' and a criterion's name, 'True', 'False', 'not' or '('")

    def _parenthesis(self) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.fail(f"at most {_MAX_DEPTH} parentheses within each other")
        expression = self._junction("or", or_, self._and_term)
        if not self.take(")"):
            self.fail("')', 'and' or 'or'")
        self._depth -= 1
        return expression

    @property
    def next_text(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._next].text

    def take(self, text: str) -> bool:
        """Go on if the next token is `text`; return whether it is."""
        found = self._tokens[self._next].text == text
        self._next += found
        return found

    def fail(self, expected: str) -> NoReturn:
        """Raise InputError for the next token; `expected` says what would be right."""
        token = self._tokens[self._next]
        found = f"'{token.text}'" if token.text else "the end"
        lower = token.text.lower()
        keyword = next((word for word in _KEYWORDS if word.lower() == lower and word != token.text), None)
        hint = f"; keywords are case-sensitive: '{keyword}'" if keyword else ""
        raise InputError(
            "",
            f"'{self._text}' is not {self.what}: at position {token.position} expected {expected}, found {found}{hint}",
        )
