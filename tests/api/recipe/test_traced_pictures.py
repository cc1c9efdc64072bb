"""Which runs need a device: those with a picture that Cycles traces."""

from __future__ import annotations

from typing import Any, Final

import pytest
from smallest_recipe import SMALLEST_RECIPE

from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.traced_pictures import has_traced_pictures
from synth_api.sweep.axes import parse_arguments
from synth_api.sweep.run_space import RunSpace

TRACED: Final = "secondary_electron_microscope"
SIGNAL: Final = "scanning_electron_microscope"
TECHNIQUE: Final = "blueprints.measurement_techniques.SEM.measurement_technique_prototype_name"


def build_tree(technique: str, *modes: str) -> dict[str, Any]:
    steps = [{"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": mode} for mode in modes]
    return {
        **SMALLEST_RECIPE,
        "blueprints": {"measurement_techniques": {"SEM": {"measurement_technique_prototype_name": technique}}},
        "synth_chain": {**SMALLEST_RECIPE["synth_chain"], "rendering_steps": steps},
    }


@pytest.mark.parametrize(
    ("technique", "modes", "is_traced"),
    [
        (TRACED, ["categorical", "real"], True),
        ("default", ["real"], True),
        (TRACED, ["categorical"], False),
        (TRACED, [], False),
        (SIGNAL, ["real"], False),
    ],
)
def test_real_images_of_traced_techniques_are_traced(technique: str, modes: list[str], *, is_traced: bool) -> None:
    assert has_traced_pictures(parse_recipe(build_tree(technique, *modes))) is is_traced
    assert RunSpace(axes=(), base=build_tree(technique, *modes)).has_traced_pictures is is_traced


def test_an_axis_of_techniques_may_trace() -> None:
    axes = parse_arguments([f"{TECHNIQUE}={SIGNAL},{TRACED}"]).axes

    assert RunSpace(axes=axes, base=build_tree(SIGNAL, "real")).has_traced_pictures
