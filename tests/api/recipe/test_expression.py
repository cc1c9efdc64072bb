"""Set expressions: precedence, names, and errors with their position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_api.errors import InputError
from synth_api.recipe.expression import parse_expression

TRUE_NAMES = {"A", "IsCat1"}


def value(text: str) -> bool:
    return parse_expression(text).evaluate(lambda name: -(name in TRUE_NAMES), lambda constant: -constant) != 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("True", True),
        (" False ", False),
        ("not not True", True),
        ("not(True)", False),
        ("not $B and $A", True),
        ("$A or $A and $B", True),
        ("($A or $A) and $B", False),
        ("$IsCat1 and not $IsCat10", True),
    ],
)
def test_value(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$IsParticle and", "at position 16 expected '$' and a criterion's name"),
        ("true", "at position 1 expected '$' and a criterion's name, 'True', 'False', 'not' or '(', found 'true'"),
        ("$A AND $B", "at position 4 expected 'and', 'or' or the end, found 'AND'; keywords are case-sensitive: 'and'"),
        ("", "at position 1"),
        ("True0", "found 'True0'"),
        ("$A & $B", "at position 4"),
        ("($A", "at position 4 expected ')', 'and' or 'or', found the end"),
        ("$", "at position 1"),
        ("(" * 5000, "at most 100 parentheses"),
    ],
)
def test_syntax_errors_name_their_position(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_expression(text)
    assert problem in str(caught.value)


def test_names_are_the_longest_words() -> None:
    assert list(parse_expression("$IsCat1 or not ($IsCat10 and $_x)").list_names()) == ["IsCat1", "IsCat10", "_x"]


expressions = st.recursive(
    st.sampled_from(["True", "False", "$A", "$B"]),
    lambda inner: st.one_of(
        inner.map("not {}".format),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
    ),
)


@given(expressions)
def test_expressions_agree_with_pythons_grammar(text: str) -> None:
    assert value(text) is bool(eval(text.replace("$A", "True").replace("$B", "False")))
