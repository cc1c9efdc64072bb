"""One rule for names: what a recipe may declare, overrides, axes, exclusions, interpolations and sets can address."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from synth_api.composition.compose import compose_recipe
from synth_api.composition.source import RecipeSource, Tree, read_recipe, read_recipe_objects
from synth_api.recipe.parsing import parse_recipe
from synth_api.resources.synth_sweep import AxisSpec
from synth_api.sweep.definition import Sweep

SPHERES = read_recipe(Path(__file__).parents[3] / "recipes/spheres_sem.yaml")
ILLEGAL = [
    *("Bead one", "2nd", "1e3", "42", "-x", "a.b", "a/b", "a:b", "a=b", "$x", "[0]", ""),
    *(
        "e\N{COMBINING ACUTE ACCENT}",
        "\N{ANGSTROM SIGN}",
        "Bead\N{NON-BREAKING HYPHEN}2",
        "\N{ARABIC-INDIC DIGIT TWO}nd",
    ),
    *("null", "True", "false", "inf", "NaN", "x" * 101),
]
MAPS = [
    ("blueprints.measurement_techniques", {"measurement_technique_prototype_name": "default"}),
    ("blueprints.particles", {"geometry_prototype_name": "sphere", "number": 1}),
    (
        "process_conditions.feature_criteria",
        {"_target_": "$builtins.ContainsString", "feature_name": "blueprint_name"}
        | {"search_string": "B", "default_return_value": False},
    ),
    ("process_conditions.sets", {"criterion": "True"}),
    (
        "process_conditions.feature_variabilities",
        {"feature_name": "blueprint_name", "variability": {"_target_": "$builtins.Constant", "value": "x"}},
    ),
    ("blueprints.particles.Bead.features", 1),
]


def rename_everything(name: str) -> RecipeSource:
    """The tutorial's recipe with one name for everything that has a name, and a seed that refers to it."""
    tree: Any = deepcopy(SPHERES.files["spheres_sem"])
    particles, conditions = tree["blueprints"]["particles"], tree["process_conditions"]
    particles[name] = particles.pop("Bead")
    tree["blueprints"]["measurement_techniques"] = {name: tree["blueprints"]["measurement_techniques"]["SEM"]}
    conditions["feature_variabilities"][name] = conditions["feature_variabilities"].pop("Defocus")
    for step in tree["synth_chain"]["feature_generation_steps"]:
        if step.get("feature_variability_name") == "Defocus":
            step["feature_variability_name"] = name
    criterion = name.replace("-", "_")
    conditions["feature_criteria"] = {criterion: MAPS[2][1] | {"search_string": name}}
    conditions["sets"] = {name: {"criterion": f"$IsParticle and ${criterion}"}}
    tree["synth_chain"]["rendering_steps"][1]["set_name_of_interest"] = name
    tree["initial_runtime_state"]["seed"] = f"${{blueprints.particles.{name}.number}}"
    return read_recipe_objects("recipe", tree)


@pytest.mark.parametrize("name", ["Bead-2", "_b", "on", "e3", "_target_", "x" * 100, "Kügelchen", "粒子-2", "U0Uü"])
def test_a_legal_name_can_be_addressed_in_every_way(name: str) -> None:
    source, number = rename_everything(name), f"blueprints.particles.{name}.number"
    keys = [bytes.fromhex(Sweep.from_source(source, [f"{number}={value}"]).key(0)) for value in (3, 4)]
    axis = AxisSpec(path=number, values=(3, 4))
    assert (
        list(Sweep.from_source(source, [f"{number}=3,4"]).keys())
        == list(Sweep.from_source(source, (), [axis]).keys())
        == keys
    )
    assert list(Sweep.from_source(source, (), [axis], [{number: 3}]).keys())[1] == keys[1]
    assert Sweep.from_source(source, [f"{number}=3"]).build_recipe(0).initial_runtime_state.seed == 3
    mapping = AxisSpec(path="blueprints.particles", values=({name: {"number": 3}}, {name: {"number": 4}}))
    assert list(Sweep.from_source(source, (), [mapping]).keys()) == keys
    assert [Sweep.from_source(source, [f"blueprints.particles={{{name}:{{number:3}}}}"]).key(0)] == [keys[0].hex()]
    variability = f"process_conditions.feature_variabilities.{name}.variability.scale=0.1,0.2"
    features = f"+blueprints.measurement_techniques.{name}.features.resolution_percentage=10,20"
    criteria = f"process_conditions.feature_criteria.{name.replace('-', '_')}.search_string=a,b"
    sets = f"process_conditions.sets.{name}.criterion=$IsParticle,$AlwaysTrue"
    assert Sweep.from_source(source, [variability, features, criteria, sets]).runs == 16


def test_a_name_that_only_an_override_has_may_be_any_legal_one() -> None:
    tree = compose_recipe(SPHERES, ["+blueprints.particles.Bead.features={ü:'ä é',粒子:[1,ö]}"])
    assert tree["blueprints"]["particles"]["Bead"]["features"] == {"ü": "ä é", "粒子": [1, "ö"]}


@pytest.mark.parametrize("name", ILLEGAL)
def test_any_other_name_is_refused_at_its_declaration(
    name: str, spheres_tree: Tree, put: Callable[..., Tree], refusal: Callable[..., str]
) -> None:
    for path, node in MAPS:
        tree = put(spheres_tree, path, {name: node})
        problem = refusal(parse_recipe, tree)
        assert (
            " is not a name that an override can address; use up to 100 letters, digits, '_' and '-', a letter"
            in problem
        )


@pytest.mark.parametrize("name", ["Bead one", "a\N{NON-BREAKING HYPHEN}b"])
def test_a_path_with_another_word_is_refused_with_that_word(name: str, refusal: Callable[..., str]) -> None:
    says = f"'{name}' cannot stand in a path; write its words with letters, digits, '_' and '-'"
    for argument in (f"blueprints.particles.{name}.number=3", f"+{name}=1,2", f"a.{name}=range(3)"):
        assert says in refusal(Sweep.from_source, SPHERES, [argument])


def test_a_mapping_among_values_is_refused_by_its_name(refusal: Callable[..., str]) -> None:
    axis = AxisSpec(path="blueprints.particles", values=({"Bead one": {"number": 1}},))
    assert "blueprints.particles.Bead one: 'Bead one' is not a name" in refusal(Sweep.from_source, SPHERES, (), [axis])


def test_a_name_of_a_file_has_100_characters_at_most(
    spheres_tree: Tree, put: Callable[..., Tree], refusal: Callable[..., str]
) -> None:
    for step, key in enumerate(("name", "output_file_name_prefix")):
        path = f"synth_chain.rendering_steps.{step}.{key}"
        parse_recipe(put(spheres_tree, path, "ä" * 100))
        problem = refusal(parse_recipe, put(spheres_tree, path, "ä" * 101))
        assert problem.startswith(f"synth_chain.rendering_steps[{step}].{key}: 'ää")
        assert problem.endswith(" has 101 characters; use 100 at most")
