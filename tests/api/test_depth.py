import pytest

from synth_api.depth import check_depth
from synth_api.errors import InputError


def test_a_tree_within_the_bound_passes() -> None:
    check_depth({"a": [{"b": [1, 2]}]}, limit=3)


def test_a_deeper_tree_is_refused_with_the_start_of_its_path() -> None:
    with pytest.raises(InputError, match=r"^a\.0\.b\.1: is nested more than 3 deep; flatten it$"):
        check_depth({"a": [{"b": [1, []]}]}, limit=3)
