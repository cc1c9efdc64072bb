"""The categories of a sweep: one list for all its runs, the same in every sweep of a recipe."""

import re
from pathlib import Path

import pytest

from synth_api.composition.source import read_recipe
from synth_api.errors import InputError
from synth_api.recipe.categories import ParticleCategory
from synth_api.resources.synth_sweep import AxisSpec
from synth_api.sweep.definition import Sweep

PARTICLES = "blueprints.particles"
FEW = "{geometry_prototype_name:sphere,number:3}"
MANY = "{geometry_prototype_name:sphere,number:30}"
CHOOSE = "synth_chain.feature_generation_steps.1.choose"
SEED = "initial_runtime_state.seed"


def names_of(sweep: Sweep) -> tuple[str, ...]:
    return tuple(category.name for category in sweep.categories)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Its particle blueprints are written in reverse order."""
    path = tmp_path / "two.yaml"
    path.write_text("""
defaults: [BaseRecipe, _self_]
initial_runtime_state: {seed: 0}
blueprints:
  measurement_techniques:
    SEM: {measurement_technique_prototype_name: secondary_electron_microscope}
  particles:
    Flake: {geometry_prototype_name: sphere, number: 1}
    Bead: {geometry_prototype_name: sphere, number: 2}
synth_chain:
  feature_generation_steps:
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllMeasurementTechniqueBlueprints}
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllParticleBlueprints}
  rendering_steps: []
""")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [f"{SEED}=range(3)"],
        [f"{PARTICLES}.Bead.number=0"],
        [f"{PARTICLES}.Bead.number=0,5", f"{PARTICLES}.Flake.number=0"],
        [f"+{PARTICLES}.Bead.weight=0,1", f"+{PARTICLES}.Flake.weight=1,2", f"+{CHOOSE}=one"],
        [f"~{PARTICLES}.Bead"],
        [f"{PARTICLES}={{Bead:{FEW}}},{{Flake:{FEW}}}"],
    ],
)
def test_blueprints_are_the_same_in_every_sweep_of_a_recipe(recipe: Path, arguments: list[str]) -> None:
    assert names_of(Sweep.load(recipe, arguments)) == ("Bead", "Flake")


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        ([f"+{PARTICLES}.Aggregate={FEW},{MANY}"], ["Aggregate"]),
        ([f"+{PARTICLES}.Aggregate={FEW}"], ["Aggregate"]),
        ([f"{PARTICLES}={{Zeolite:{FEW}}},{{Aggregate:{FEW}}}"], ["Aggregate", "Zeolite"]),
        ([f"blueprints={{particles:{{Zeolite:{FEW}}}}},{{particles:{{Aggregate:{FEW}}}}}"], ["Aggregate", "Zeolite"]),
        ([f"+{PARTICLES}.Aggregate=${{{PARTICLES}.Bead}}"], ["Aggregate"]),
        ([f"~{PARTICLES}.Bead", f"+{PARTICLES}.Aggregate={FEW},{MANY}"], ["Aggregate"]),
    ],
)
def test_added_blueprints_follow_the_recipes_own(recipe: Path, arguments: list[str], added: list[str]) -> None:
    assert names_of(Sweep.load(recipe, arguments)) == ("Bead", "Flake", *added)


def test_blueprints_of_excluded_runs_are_included(recipe: Path) -> None:
    few = {"geometry_prototype_name": "sphere", "number": 3}
    kinds = AxisSpec(path=PARTICLES, values=({"Zeolite": few}, {"Aggregate": few}))
    seeds = AxisSpec(path=SEED, values=(1, 2))
    for excluded in ((), ({PARTICLES: kinds.values[1]},), ({SEED: 1},)):
        sweep = Sweep.from_source(read_recipe(recipe), axes=(kinds, seeds), exclude=excluded)
        assert names_of(sweep) == ("Bead", "Flake", "Aggregate", "Zeolite")


def test_blueprints_of_one_category_are_one_class_and_no_part_of_a_run(recipe: Path) -> None:
    plain = Sweep.load(recipe, [f"{SEED}=range(3)"])
    named = [f"{PARTICLES}.Bead.category=grain", f"{PARTICLES}.Flake.category=grain"]
    sweep = Sweep.load(recipe, [f"{SEED}=range(3)", *named, f"{PARTICLES}.Flake.supercategory=solid"])
    assert sweep.categories == (ParticleCategory("grain", "solid", ("Bead", "Flake")),)
    assert list(sweep.keys()) == list(plain.keys())
    assert sweep.plan() != plain.plan()


def test_a_blueprint_joins_the_category_that_another_has_by_its_name(recipe: Path) -> None:
    sweep = Sweep.load(recipe, [f"{PARTICLES}.Flake.category=Bead", f"+{PARTICLES}.Aggregate={FEW}"])
    assert sweep.categories == (
        ParticleCategory("Bead", "particle", ("Bead", "Flake")),
        ParticleCategory("Aggregate", "particle", ("Aggregate",)),
    )


def test_a_blueprint_that_an_axis_adds_may_have_a_category(recipe: Path) -> None:
    kinds = [
        f"{{geometry_prototype_name: sphere, number: {number}, category: {category}}}"
        for number, category in ((3, "Bead"), (30, "Bead"))
    ]
    sweep = Sweep.load(recipe, [f"+{PARTICLES}.Aggregate={','.join(kinds)}"])
    assert sweep.categories[0].blueprints == ("Aggregate", "Bead")
    with pytest.raises(InputError, match=r"Aggregate\.category: an axis cannot change it, because all runs"):
        Sweep.load(recipe, [f"+{PARTICLES}.Aggregate={kinds[0]},{kinds[1].replace('Bead', 'Rod')}"])


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        (f"{PARTICLES}.Bead.category=a,b", "Bead.category: an axis cannot change it"),
        (f"{PARTICLES}.Bead.supercategory=a,b", "Bead.supercategory: an axis cannot change it"),
        ("dataset.title=a,b", "dataset.title: an axis cannot change it, because all runs of a sweep are one dataset"),
        (f"{PARTICLES}.Bead.category=flake", "'Flake' and 'flake' differ in case only; write them alike"),
        (f"{PARTICLES}.Bead.category='a/b'", "Bead.category: 'a/b' is not the name of a class; use up to 100 letters"),
        (f"{PARTICLES}.Bead.categori=x", "did you mean 'category'"),
    ],
)
def test_mistakes_in_categories_are_named(recipe: Path, argument: str, problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)):
        Sweep.load(recipe, [argument])


def test_a_category_has_one_supercategory(recipe: Path) -> None:
    classes = [f"{PARTICLES}.{name}={{category: grain, supercategory: {name}}}" for name in ("Bead", "Flake")]
    problem = "Flake.supercategory: the category 'grain' has the supercategories 'Bead' and 'Flake'"
    with pytest.raises(InputError, match=problem):
        Sweep.load(recipe, classes)


def test_blueprints_whose_names_differ_in_case_stay_two_categories(recipe: Path) -> None:
    assert names_of(Sweep.load(recipe, [f"+{PARTICLES}.bead={FEW}"])) == ("Bead", "Flake", "bead")


@pytest.mark.parametrize(
    ("arguments", "fibres"),
    [
        ([], {}),
        ([f"{PARTICLES}.Bead.geometry_prototype_name=fibre"], {"Bead": ("Bead",)}),
        ([f"{PARTICLES}.Bead.geometry_prototype_name=sphere,fibre"], {"Bead": ("Bead",)}),
        (
            [f"{PARTICLES}.Bead.geometry_prototype_name=fibre", f"+{PARTICLES}.Flake.category=Bead"],
            {"Bead": ("Bead",)},
        ),
    ],
)
def test_a_category_names_its_fibres(recipe: Path, arguments: list[str], fibres: dict[str, tuple[str, ...]]) -> None:
    categories = Sweep.load(recipe, arguments).categories
    assert {category.name: category.fibres for category in categories if category.fibres} == fibres


AGGLOMERATE = """
    - {_target_: $builtins.AgglomerateParticles, affected_set_name: AllParticles, mode: particle-cluster,
       speed: 1, randomness: 0.1}
  rendering_steps"""


@pytest.fixture
def agglomerated(recipe: Path) -> Path:
    recipe.write_text(recipe.read_text().replace("\n  rendering_steps", AGGLOMERATE))
    return recipe


def test_agglomerates_are_a_category_after_those_of_the_recipe(agglomerated: Path) -> None:
    """Its place is the same in every sweep of the recipe, also in one that adds a blueprint."""
    expected = ParticleCategory("agglomerate", "agglomerate", (), agglomerates=True)
    assert Sweep.load(agglomerated, []).categories[2:] == (expected,)
    more = Sweep.load(agglomerated, [f"+{PARTICLES}.Rod={FEW}"])
    assert names_of(more) == ("Bead", "Flake", "agglomerate", "Rod")
    assert more.categories[2] == expected


def test_a_category_of_particles_has_another_name_than_agglomerates(agglomerated: Path) -> None:
    words = r"Bead\.category: 'Agglomerate' is the category of the agglomerates themselves; write another one"
    with pytest.raises(InputError, match=words):
        Sweep.load(agglomerated, [f"+{PARTICLES}.Bead.category=Agglomerate"])


STEPS = "synth_chain.feature_generation_steps"
JOIN = "_target_:{target},affected_set_name:AllParticles,mode:particle-cluster,speed:1,randomness:0.1"
INVOKE = "{_target_:$builtins.InvokeBlueprints,affected_set_name:All%sBlueprints}"
LEGACY_TARGET = "synthpic2.recipe.synth_chain.feature_generation_steps.AgglomerateParticles"


@pytest.mark.parametrize("target", ["$builtins.AgglomerateParticles", LEGACY_TARGET])
@pytest.mark.parametrize("is_first", [True, False])
def test_agglomerates_are_a_category_if_any_run_makes_them(recipe: Path, target: str, *, is_first: bool) -> None:
    invoke = [INVOKE % kind for kind in ("MeasurementTechnique", "Particle")]
    chains = [f"[{','.join([*invoke, '{' + JOIN.format(target=target) + '}'])}]", f"[{','.join(invoke)}]"]
    sweep = Sweep.load(recipe, [f"{STEPS}={','.join(chains if is_first else chains[::-1])}", f"{SEED}=range(2)"])
    assert names_of(sweep) == ("Bead", "Flake", "agglomerate")


def test_agglomerates_of_the_recipe_stay_a_category_where_all_runs_leave_them_out(agglomerated: Path) -> None:
    invoke = [INVOKE % kind for kind in ("MeasurementTechnique", "Particle")]
    assert names_of(Sweep.load(agglomerated, [f"{STEPS}=[{','.join(invoke)}]"])) == ("Bead", "Flake", "agglomerate")
