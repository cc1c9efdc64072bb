"""Check of materials that are made for one electron microscope: the other one would show nothing of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.problems import format_location
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES

if TYPE_CHECKING:
    from collections.abc import Collection

    from synth_api.recipe.model import Recipe


def check_materials(recipe: Recipe) -> None:
    """Raise InputError for a background or particle whose material is made for the other electron microscope.

    A recipe with techniques of both microscopes may have particles for each.
    """
    blueprints = recipe.blueprints
    techniques = []
    for name, blueprint in blueprints.measurement_techniques.items():
        techniques.append(blueprint.measurement_technique_prototype_name)
        path = format_location(("blueprints", "measurement_techniques", name, "background_material_prototype_name"))
        _check_material(path, "background", blueprint.background_material_prototype_name, techniques[-1:])
    for name, particles in blueprints.particles.items():
        path = format_location(("blueprints", "particles", name, "material_prototype_name"))
        _check_material(path, "particle", particles.material_prototype_name, techniques)


def _check_material(path: str, role: str, material: str, techniques: Collection[str]) -> None:
    made_for = MATERIALS[material].microscope
    microscopes = {TECHNIQUES[technique].microscope for technique in techniques}
    if not made_for or not microscopes or microscopes & {made_for, ""}:
        return
    fitting = [
        name
        for name, prototype in sorted(MATERIALS.items())
        if prototype.microscope in microscopes and prototype.role in (role, "")
    ]
    named = " and ".join(sorted(set(techniques)))
    raise InputError(
        path, f"'{material}' is made for {made_for} microscopes, and {named} is none; take {' or '.join(fitting)}"
    )
