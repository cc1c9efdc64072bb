"""Places are counted as if they were enumerated, and never are."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from synth_api.sweep.grid import Grid


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    lengths = tuple(draw(st.lists(st.integers(1, 4), max_size=4)))
    box = st.fixed_dictionaries(
        {}, optional={n: st.frozensets(st.integers(0, length - 1), min_size=1) for n, length in enumerate(lengths)}
    )
    return Grid(lengths, tuple(draw(st.lists(box.filter(bool), max_size=5))) if lengths else ())


@given(grids())
def test_counting_equals_enumerating(grid: Grid) -> None:
    places = list(product(*map(range, grid.lengths)))
    assert [grid.find_place(number) for number in range(grid.size)] == [list(place) for place in places]
    left_out = [any(all(place[n] in box[n] for n in box) for box in grid.boxes) for place in places]
    assert [grid.is_excluded(place) for place in places] == left_out
    assert grid.included_count == left_out.count(False)


def test_a_large_grid_is_counted_at_once() -> None:
    boxes = tuple({0: frozenset({n}), 1: frozenset({n + 1, n})} for n in range(64))
    assert Grid((1000, 1000), boxes).included_count == 1_000_000 - 128
