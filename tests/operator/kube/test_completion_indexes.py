from hypothesis import given
from hypothesis import strategies as st

from synth_operator.kube.completion_indexes import CompletionIndexes


def test_indexes_are_read_as_kubernetes_writes_them() -> None:
    indexes = CompletionIndexes.parse("0,2-4,9")

    assert list(indexes) == [0, 2, 3, 4, 9]
    assert len(indexes) == 5
    assert 3 in indexes
    assert 1 not in indexes


def test_none_are_written_as_nothing() -> None:
    assert list(CompletionIndexes.parse("")) == []


@given(st.sets(st.integers(0, 50)))
def test_whatever_is_written_is_read(numbers: set[int]) -> None:
    text = ",".join(map(str, sorted(numbers)))

    assert set(CompletionIndexes.parse(text)) == numbers
