"""A key that stands twice in a mapping of an override is refused, as in a recipe file."""

from pathlib import Path

import pytest

from synth_api.composition.repeated_keys import find_repeated_key
from synth_api.errors import InputError
from synth_api.sweep.definition import Sweep

SPHERES = Path(__file__).parents[3] / "recipes/spheres_sem.yaml"


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("a={b:1,b:2}", "b"),
        ("+a={ b : 1 , c: 2,b: 3}", "b"),
        ("a={b:{c:1,d:[1,2],c:2}}", "c"),
        ("a=[{b:1}, {b:1, b:1}]", "b"),
        ("a={b:1},{b:2,b:3}", "b"),
        ("a=choice({b:1},{b:2,b:3})", "b"),
        ("a={b:[{c:1}],b:2}", "b"),
        ("a={_target_: $builtins.Constant, _target_: $builtins.Constant}", "_target_"),
        ("a={b:{c:1},c:{b:1}}", None),
        ("a={b:1},{b:2}", None),
        ("a=[{b:1},{b:2}]", None),
        ("a={b:x:y,c:x:z}", None),
        ("a={b:'c:1,b:2',c:${d:1,b:2}}", None),
        ("a='{b:1,b:2}'", None),
    ],
)
def test_a_key_is_found_in_the_mapping_that_has_it_twice(override: str, key: str | None) -> None:
    assert find_repeated_key(override) == key


@pytest.mark.parametrize("values", ["{number: 1, number: 2}", "{number: 1},{number: 2, number: 3}"])
def test_an_override_and_an_axis_are_refused(values: str) -> None:
    with pytest.raises(InputError, match=r"Bead: the key 'number' appears twice; take one of them out"):
        Sweep.load(SPHERES, [f"blueprints.particles.Bead={values}"])


def test_a_key_beyond_ascii_is_quoted_as_written() -> None:
    with pytest.raises(InputError, match="the key 'Länge' appears twice"):
        Sweep.load(SPHERES, ["+process_conditions.sets={Länge: 1, Länge: 2}"])
