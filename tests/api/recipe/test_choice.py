"""Choice in recipes: distributions, weighted blueprints and drawn parameters, and every way to get them wrong."""

from __future__ import annotations

import pytest

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import compute_run_key
from synth_api.recipe.variabilities import LogNormal, LogUniform

BEAD = "blueprints.particles.Bead"
GENERATION = "synth_chain.feature_generation_steps"
SIZE = "process_conditions.feature_variabilities.ParticleDimension"
DEFOCUS = "process_conditions.feature_variabilities.Defocus"
B = "$builtins."


def node(name: str, **keys: object) -> dict:
    return {"_target_": B + name, **keys}


def log_normal(**keys: object) -> dict:
    return node("LogNormal", median=5, geometric_standard_deviation=1.2, num_dimensions=3) | keys


def deposit(**keys: object) -> dict:
    return node("DepositOnSubstrate", affected_set_name="AllParticles", layout="sparse", coverage=0.3) | keys


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (f"{SIZE}.variability", log_normal(geometric_standard_deviation=0.5), "values must be at least 1, 0.5 is too"),
        (
            f"{SIZE}.variability",
            log_normal(median=-1),
            ".variability.median: for the feature 'dimensions', values must be",
        ),
        (f"{SIZE}.variability", log_normal(median="big"), "the value must be a number, not 'big'"),
        (f"{SIZE}.variability", log_normal(min=3, max=2), "nothing lies between min 3.0 and max 2.0"),
        (f"{SIZE}.variability", log_normal(num_dimensions=1), "which LogNormal does not draw here"),
        (f"{SIZE}.variability", log_normal(unit="mm"), "there is no 'mm' here; known are feature, px"),
        (f"{SIZE}.variability", node("LogUniform", min=0, max=1, num_dimensions=3), "must be greater than 0, not 0"),
        (f"{SIZE}.variability", node("LogUniform", min=2, max=1), "min 2.0 is above max 1.0"),
        (
            f"{SIZE}.variability",
            log_normal(median=node("LogUniform", min=1, max=2, num_dimensions=3)),
            ".median._target_: for the feature 'dimensions', values must be a number, which LogUniform does not draw",
        ),
        (
            f"{DEFOCUS}.variability",
            node("LogUniform", min=0.5, max=2),
            "max: for the feature 'defocus', values must be at",
        ),
        (f"{DEFOCUS}.variability", node("Choice", values=[]), "must have 1 entries, not 0"),
        (
            f"{DEFOCUS}.variability",
            node("Choice", values=[0.1, "x"]),
            "values[1]: for the feature 'defocus', the value must",
        ),
        (f"{DEFOCUS}.variability", node("Choice", values=[0.1], weights=[-1]), "must be at least 0, not -1"),
        (
            f"{DEFOCUS}.variability",
            node("Choice", values=[0.1, 0.2], weights=[0, 0]),
            "the weights are all 0; give at least",
        ),
        (
            f"{DEFOCUS}.variability",
            node("Choice", values=[0.1, 0.2], weights=[1]),
            "the number of values is 2, and that of weights 1; give one weight for each value",
        ),
        (
            f"{DEFOCUS}.variability",
            node("Sometimes", share=1.5, otherwise=0, variability=node("Constant", value=0.1)),
            "share: must be at most 1, not 1.5",
        ),
        (
            f"{DEFOCUS}.variability",
            node("Sometimes", share=0.5, otherwise=0, variability=node("Constant", value=7)),
            ".variability.variability.value: for the feature 'defocus', values must be at most 1, 7 is too large",
        ),
        (
            f"{DEFOCUS}.variability",
            node("Sometimes", share=0.5, otherwise=2, variability=node("Constant", value=0.5)),
            ".variability.otherwise: for the feature 'defocus', values must be at most 1, 2 is too large",
        ),
        (f"{DEFOCUS}.per", "picture", "there is no 'picture' here; known are object, run"),
        (
            BEAD,
            {"geometry_prototype_name": "sphere", "material_prototype_name": "sem_particle", "number": 1}
            | {"features": {"skin_pattern": "honycomb"}},
            "Bead.features.skin_pattern: there is no 'honycomb' here; did you mean 'honeycomb'?",
        ),
        (f"{BEAD}.weight", -1, "weight: must be at least 0, not -1"),
        (f"{GENERATION}.1.choose", "some", "there is no 'some' here"),
        (
            f"{GENERATION}.5",
            deposit(layout="spares"),
            f"{GENERATION}[5].layout: there is no 'spares' here; did you mean 'sp",
        ),
        (
            f"{GENERATION}.5",
            deposit(coverage=1.5),
            f"{GENERATION}[5].coverage: values must be at most 1, 1.5 is too large",
        ),
        (f"{GENERATION}.5", deposit(pitch=0.9), "pitch: values must be at least 1, 0.9 is too small"),
        (f"{GENERATION}.5", deposit(new_cluster_share=-0.1), "values must be at least 0, -0.1 is too small"),
        (
            f"{GENERATION}.5",
            deposit(layout=node("Choice", values=["heap", "pile"])),
            f"{GENERATION}[5].layout.values[1]: there is no 'pile' here; known are chains, clusters, heap, ",
        ),
        (
            f"{GENERATION}.5",
            deposit(coverage=node("UniformDistributionNdHomogeneous", location=0.5, scale=1)),
            f"{GENERATION}[5].coverage.scale: values must be at most 1, 1.5 is too large",
        ),
        (
            f"{GENERATION}.5",
            deposit(layout="satellites"),
            f"{GENERATION}[5]: satellites sit on other particles; give their set as deposited_set_name",
        ),
        (
            f"{GENERATION}.5",
            deposit(layout="satellites", deposited_set_name="AllParticles"),
            f"{GENERATION}[5]: satellites sit on other particles, but 'AllParticles' is their own set; give another",
        ),
        (
            f"{GENERATION}.5",
            deposit(layout="satellites", deposited_set_name="Lager"),
            f"{GENERATION}[5].deposited_set_name: there is no set 'Lager'; known are ",
        ),
        (f"{GENERATION}.5", deposit(cluster_size=0), "cluster_size: values must be at least 1, 0 is too small"),
        (f"{GENERATION}.5", deposit(density=1), "there is no key 'density' here"),
    ],
)
def test_a_mistake_is_one_sentence_at_its_path(spheres_tree, put, refusal, path, value, sentence) -> None:
    if path.endswith((".per", ".weight", ".choose")):
        whole, _, last = path.rpartition(".")
        node_there = spheres_tree
        for word in whole.split("."):
            node_there = node_there[int(word)] if word.isdigit() else node_there[word]
        path, value = whole, {**node_there, last: value}
    assert sentence in refusal(parse_recipe, put(spheres_tree, path, value))


def two_kinds(tree: dict, put, one: float | None, other: float | None, **step: object) -> dict:
    bead = tree["blueprints"]["particles"]["Bead"]
    weights = {"A": one, "B": other}
    particles = {name: bead | ({} if weight is None else {"weight": weight}) for name, weight in weights.items()}
    choose = {**tree["synth_chain"]["feature_generation_steps"][1], "choose": "one", **step}
    return put(put(tree, "blueprints.particles", particles), f"{GENERATION}.1", choose)


def test_one_of_several_blueprints_needs_weights(spheres_tree, put, refusal) -> None:
    sentence = refusal(parse_recipe, two_kinds(spheres_tree, put, 1, None))
    assert sentence == (
        "blueprints.particles.B: choose: one takes a blueprint of 'AllParticleBlueprints' by weight, and this one has"
        " none; add its weight"
    )


def test_one_of_several_blueprints_needs_a_weight_above_0(spheres_tree, put, refusal) -> None:
    sentence = refusal(parse_recipe, two_kinds(spheres_tree, put, 0, 0))
    assert sentence == (
        f"{GENERATION}[1].affected_set_name: the weights of the blueprints in 'AllParticleBlueprints' are all 0;"
        " give at least one a larger one"
    )


def test_one_of_no_blueprints_cannot_be_chosen(spheres_tree, put, refusal) -> None:
    tree = two_kinds(spheres_tree, put, 1, 1, affected_set_name="Empty")
    assert "'Empty' holds no blueprint, and choose: one needs one at least" in refusal(parse_recipe, tree)


def test_one_of_several_techniques_may_be_chosen(spheres_tree, put) -> None:
    technique = spheres_tree["blueprints"]["measurement_techniques"]["SEM"]
    both = {"A": {**technique, "weight": 1}, "B": {**technique, "weight": 2}}
    first = {**spheres_tree["synth_chain"]["feature_generation_steps"][0], "choose": "one"}
    tree = put(put(spheres_tree, "blueprints.measurement_techniques", both), f"{GENERATION}.0", first)
    assert parse_recipe(tree).synth_chain.feature_generation_steps[0].choose == "one"


def test_a_shape_without_extent_is_refused(spheres_tree, put, refusal) -> None:
    cube = {"geometry_prototype_name": "cube", "number": 1, "features": {"dimensions": [1, 0, 1]}}
    tree = put(spheres_tree, "blueprints.particles.Cube", cube)
    assert refusal(parse_recipe, tree).endswith("dimensions: values must be at least 0.001, 0 is too small")


def test_values_at_their_default_change_no_key(spheres_tree, put) -> None:
    bead = {**spheres_tree["blueprints"]["particles"]["Bead"], "weight": None}
    invoke = {**spheres_tree["synth_chain"]["feature_generation_steps"][1], "choose": "all"}
    bound = {**spheres_tree["process_conditions"]["feature_variabilities"]["Defocus"], "per": "object"}
    tree = put(put(put(spheres_tree, BEAD, bead), f"{GENERATION}.1", invoke), DEFOCUS, bound)
    assert compute_run_key(parse_recipe(tree)) == compute_run_key(parse_recipe(spheres_tree))


def test_drawn_parameters_are_part_of_the_key_and_parse_back(spheres_tree, put) -> None:
    tree = put(spheres_tree, f"{SIZE}.variability", log_normal(median=node("LogUniform", min=3, max=9)))
    tree = put(tree, f"{GENERATION}.5", deposit(coverage=node("LogUniform", min=0.1, max=1), pitch=1))
    recipe = parse_recipe(tree)
    bound = recipe.process_conditions.feature_variabilities["ParticleDimension"].variability
    assert isinstance(bound, LogNormal)
    assert bound.median == LogUniform(min=3.0, max=9.0)
    assert parse_recipe(build_canonical_tree(recipe)) == recipe
    assert compute_run_key(recipe) != compute_run_key(parse_recipe(spheres_tree))


def test_a_number_is_the_same_however_it_is_written(spheres_tree, put) -> None:
    one, other = (put(spheres_tree, f"{GENERATION}.5", deposit(pitch=pitch, piles=0.0)) for pitch in (1, 1.0))
    assert compute_run_key(parse_recipe(one)) == compute_run_key(parse_recipe(other))
