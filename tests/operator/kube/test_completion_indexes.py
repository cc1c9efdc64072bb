from hypothesis import given
from hypothesis import strategies as st

from synth_operator.kube.completion_indexes import CompletionIndexes


def test_indexes_are_parsed_in_the_format_of_kubernetes() -> None:
    indexes = CompletionIndexes.parse("0,2-4,9")

    assert list(indexes) == [0, 2, 3, 4, 9]
    assert len(indexes) == 5
    assert 3 in indexes
    assert 1 not in indexes


def test_an_empty_text_has_no_indexes() -> None:
    assert list(CompletionIndexes.parse("")) == []


@given(st.sets(st.integers(0, 50)))
def test_any_set_of_indexes_is_parsed(numbers: set[int]) -> None:
    text = ",".join(map(str, sorted(numbers)))

    assert set(CompletionIndexes.parse(text)) == numbers
