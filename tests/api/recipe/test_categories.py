"""Categories of a joined dataset: known ids stay, new ones follow, a blueprint has one category."""

from __future__ import annotations

import pytest

from synth_api.errors import InputError
from synth_api.recipe.categories import ParticleCategory, join_categories

BEFORE = (ParticleCategory("rod", "particle", ("Rod",)), ParticleCategory("ball", "round", ("Bead",)))


def test_the_categories_of_a_dataset_stay_and_new_ones_follow_in_order() -> None:
    added = [
        ParticleCategory("disc", "particle", ("Disc",)),
        ParticleCategory("ball", "particle", ("Sphere",)),
        ParticleCategory("cube", "particle", ("Cube",)),
    ]
    assert join_categories(BEFORE, added) == (
        ParticleCategory("rod", "particle", ("Rod",)),
        ParticleCategory("ball", "round", ("Bead", "Sphere")),
        ParticleCategory("cube", "particle", ("Cube",)),
        ParticleCategory("disc", "particle", ("Disc",)),
    )


def test_a_blueprint_with_another_category_is_refused() -> None:
    problem = "^blueprints.particles.Bead.category: is 'grain' here and 'ball' in the dataset; write the same one$"
    with pytest.raises(InputError, match=problem):
        join_categories(BEFORE, [ParticleCategory("grain", "particle", ("Bead",))])


def test_the_category_of_agglomerates_keeps_its_id_when_a_sweep_is_added() -> None:
    own = ParticleCategory("agglomerate", "agglomerate", (), agglomerates=True)
    joined = join_categories((*BEFORE, own), [own, ParticleCategory("cube", "particle", ("Cube",))])
    assert [category.name for category in joined] == ["rod", "ball", "agglomerate", "cube"]
    assert joined[2] == own


def test_particles_and_agglomerates_of_one_category_do_not_join() -> None:
    own = ParticleCategory("ball", "agglomerate", (), agglomerates=True)
    words = r"Bead\.category: 'ball' is a category of particles and that of agglomerates; write another one"
    with pytest.raises(InputError, match=words):
        join_categories(BEFORE, [own])
