"""Filters of runs: comparisons over axes and columns, and mistakes with their position and what would be right."""

import pytest

from synth_api.errors import InputError
from synth_api.run_filter import parse_run_filter

NUMBER = "blueprints.particles.Bead.number"
COLUMNS = ("run", "seed", "visible", NUMBER, "material", "flat")
ROW = {"run": 3, "seed": 7, "visible": 2, NUMBER: 300, "material": "gold", "flat": True}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("number <= 300", True),
        ("number < 300", False),
        (f"{NUMBER} = 300.0", True),
        ("number > 1e2 and not seed = 7", False),
        ("not (seed != 7 or visible > 5)", True),
        ("material = gold", True),
        ("material != 'gold'", False),
        ('material >= "a b"', True),
        ("flat = true", True),
        ("seed >= -1 and seed <= +7", True),
        ("not not seed == 7", True),
    ],
)
def test_comparisons_keep_runs(text: str, kept: bool) -> None:
    assert parse_run_filter(text, COLUMNS).holds(ROW) is kept


def test_a_run_without_a_value_is_not_kept() -> None:
    missing = ROW | {NUMBER: None}
    assert not parse_run_filter("number <= 300", COLUMNS).holds(missing)
    assert not parse_run_filter("number != 300", COLUMNS).holds(missing)


def test_the_columns_of_a_filter_are_known() -> None:
    assert parse_run_filter("number > 1 and (seed > 1 or number < 9)", COLUMNS).columns == (NUMBER, "seed")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a filter of runs: at position 1 expected an axis or column, found the end"),
        ("number", "at position 7 expected one of <= >= != == = < >, found the end"),
        ("number <=", "at position 10 expected a value, found the end"),
        ("number <= 3 seed = 1", "at position 13 expected 'and', 'or' or the end, found 'seed'"),
        ("number <= 3 AND seed = 1", "keywords are case-sensitive: 'and'"),
        ("(number <= 3", "at position 13 expected ')', 'and' or 'or', found the end"),
        ("__import__('os') = 1", "expected one of <= >="),
        ("numbr = 1", "there is no axis or column 'numbr'"),
    ],
)
def test_wrong_filters_are_named(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=r"^--where: ") as error:
        parse_run_filter(text, COLUMNS)
    assert problem in str(error.value)


def test_text_and_numbers_do_not_compare() -> None:
    with pytest.raises(InputError, match=r"'material' has 'gold', which <= 3 does not compare with; take = or !="):
        parse_run_filter("material <= 3", COLUMNS).holds(ROW)
