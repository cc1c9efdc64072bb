"""A material of one electron microscope is refused under the other."""

from __future__ import annotations

from typing import Any

import pytest
from smallest_recipe import SMALLEST_RECIPE

from synth_api.prototypes.materials import MATERIALS
from synth_api.recipe.parsing import parse_recipe

SCANNING = ("scanning_electron_microscope", "secondary_electron_microscope", "sem_aggregate")
TRANSMISSION = "transmission_electron_microscope"
OF_SCANNING = ["sem_ground", "sem_particle", "sem_patchy_silicone", "sem_polystyrene"]
OF_TRANSMISSION = ["tem_amorphous", "tem_film", "tem_particle"]


def write_recipe(particle: str, background: str, *techniques: str) -> dict[str, Any]:
    return {
        **SMALLEST_RECIPE,
        "blueprints": {
            "measurement_techniques": {
                f"T{index}": {
                    "measurement_technique_prototype_name": technique,
                    "background_material_prototype_name": background,
                    "weight": 1,
                }
                for index, technique in enumerate(techniques)
            },
            "particles": {"P": {"geometry_prototype_name": "sphere", "material_prototype_name": particle, "number": 1}},
        },
        "synth_chain": {
            "feature_generation_steps": [
                {
                    "_target_": "$builtins.InvokeBlueprints",
                    "affected_set_name": "AllMeasurementTechniqueBlueprints",
                    "choose": "one",
                }
            ],
            "rendering_steps": [],
        },
    }


def test_a_particle_of_the_other_microscope_is_refused(refusal) -> None:
    assert refusal(parse_recipe, write_recipe("sem_particle", "vacuum", TRANSMISSION)) == (
        "blueprints.particles.P.material_prototype_name: 'sem_particle' is made for scanning microscopes, and"
        " transmission_electron_microscope is none; take tem_amorphous or tem_particle"
    )


def test_a_background_of_the_other_microscope_is_refused(refusal) -> None:
    assert refusal(parse_recipe, write_recipe("plain", "tem_film", SCANNING[0])) == (
        "blueprints.measurement_techniques.T0.background_material_prototype_name: 'tem_film' is made for transmission"
        " microscopes, and scanning_electron_microscope is none; take sem_ground or"
        " sem_patchy_silicone"
    )


@pytest.mark.parametrize("material", sorted(MATERIALS))
def test_each_microscope_has_its_materials_and_those_of_none(refusal, material: str) -> None:
    for technique in (*SCANNING, TRANSMISSION):
        recipe = write_recipe(material, "vacuum", technique)
        if material in (OF_SCANNING if technique == TRANSMISSION else OF_TRANSMISSION):
            assert f"'{material}' is made for " in refusal(parse_recipe, recipe)
        else:
            assert parse_recipe(recipe)
    assert parse_recipe(write_recipe(material, "vacuum", "default"))


def test_a_recipe_with_both_microscopes_has_particles_for_either() -> None:
    for material in ("sem_particle", "tem_particle"):
        assert parse_recipe(write_recipe(material, "vacuum", SCANNING[0], TRANSMISSION))
