from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_api.errors import InputError
from synth_cli.local.run_numbers import parse_run_numbers

TOTAL = 30
PART = st.tuples(st.integers(0, TOTAL - 1), st.integers(0, TOTAL - 1)).map(sorted)


@given(st.lists(PART, min_size=1))
def test_the_ranges_hold_exactly_the_runs_that_were_named_in_ascending_order_and_apart(parts: list[list[int]]) -> None:
    text = ",".join(f"{first}-{last}" if last > first else str(first) for first, last in parts)
    ranges = parse_run_numbers(text, TOTAL)
    assert {run for part in ranges for run in part} == {run for first, last in parts for run in range(first, last + 1)}
    assert all(before.stop < after.start for before, after in pairwise(ranges))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0-9,x", "'x' is neither a run number nor a range; write for example 0-9,17"),
        ("", "'' is neither a run number nor a range; write for example 0-9,17"),
        ("-3", "'-3' is neither a run number nor a range; write for example 0-9,17"),
        ("9-3", "'9-3' ends before it begins; write 3-9"),
        ("0-30", "there is no run 30; this sweep has runs 0 to 29"),
    ],
)
def test_a_wrong_part_is_named_with_its_remedy(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_run_numbers(text, TOTAL)
    assert str(caught.value) == f"--only: {problem}"
