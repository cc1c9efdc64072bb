"""What a recipe may say: every mistake is one sentence with its exact path, value and remedy."""

import pytest

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.recipe.feature_generation import PUBLISHED_MODES, AgglomerateParticles, LoadState, RelaxCollisions
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.rendering import SaveState
from synth_api.recipe.variabilities import Constant

BEAD = "blueprints.particles.Bead"
SEM = "blueprints.measurement_techniques.SEM"
GENERATION = "synth_chain.feature_generation_steps"
RENDERING = "synth_chain.rendering_steps"
BOUND = "process_conditions.feature_variabilities"
CONDITIONS = "process_conditions"
UNIFORM = "$builtins.UniformDistribution"


def test_the_tutorials_recipe_is_valid(spheres) -> None:
    recipe = spheres()
    step = recipe.synth_chain.feature_generation_steps[5]
    assert isinstance(step, RelaxCollisions)
    assert step.gravity == (0.0, 0.0, -100.0)
    assert step.target == "$builtins.RelaxCollisions"
    assert recipe.process_conditions.feature_variabilities["BackgroundPatchSeed"].variability.value == 42
    assert [step.name for step in recipe.synth_chain.rendering_steps if isinstance(step, SaveState)] == ["state"]


def test_maps_are_in_code_point_order(spheres) -> None:
    names = list(spheres().process_conditions.feature_variabilities)
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (f"{BEAD}.number", -1, "must be at least 0, not -1"),
        (f"{BEAD}.number", "abc", "must be a whole number, not 'abc'"),
        (f"{BEAD}.number", 2.5, "must be a whole number, not 2.5"),
        (f"{BEAD}.number", True, "must be a whole number, not true"),
        (f"{BEAD}.number", 70000, "must be at most 65535, not 70000"),
        (f"{BEAD}.number", 10**30, "must be at most"),
        (f"{BEAD}.number", "???", "a value is missing; write it in the recipe or give it as an override"),
        (f"{BEAD}.foo", 1, "there is no key 'foo' here; some of the 9 known are category, custom_features, features,"),
        (f"{BEAD}.geometry_prototype_name", "spher", "there is no geometry prototype 'spher'; did you mean 'sphere'?"),
        (
            f"{BEAD}.geometry_prototype_name",
            "potato",
            "the geometry prototype 'potato' is not available in this version",
        ),
        (f"{BEAD}.material_prototype_name", "gold", "there is no material prototype 'gold'"),
        (f"{SEM}.measurement_technique_prototype_name", "write_text", "is not available in this version"),
        (f"{SEM}.background_material_prototype_name", 5, "must be a string, not 5"),
        (f"{BEAD}.features", {"subdivisions": 9}, "values must be at most 6, 9 is too large"),
        (f"{BEAD}.features", {"dimensions": 3}, "the value must be a list of 3 numbers, not 3"),
        (f"{BEAD}.features", {"defocsu": 0.1}, "this blueprint has no feature 'defocsu' to set; some of the "),
        (
            f"{BEAD}.features",
            {"wall_thickness": 0.1},
            "no feature 'wall_thickness' to set; the geometry prototypes bent_rod, bipyramid, cube, flake, ",
        ),
        (
            f"{SEM}.features",
            {"film_form": "holey"},
            "this blueprint has no feature 'film_form' to set; the material prototype tem_film has it",
        ),
        (
            f"{BOUND}.Defocus.feature_name",
            "loops",
            "nothing in this recipe has a feature 'loops'; the geometry prototype fibre has it",
        ),
        (f"{BEAD}.custom_features", [{"name": "dimensions"}], "two of its parts offer the feature 'dimensions'"),
        (f"{BEAD}.custom_features", [{"name": "x", "blender_link": "bpy.data.x"}], "are not available in this version"),
        ("initial_runtime_state.seed", 2**53, "must be at most 9007199254740991"),
        ("initial_runtime_state.seed", -1, "must be at least 0, not -1"),
        (f"{BOUND}.Defocus.feature_name", "defocs", "has a feature 'defocs'; did you mean 'defocus'?"),
        (f"{BOUND}.Defocus.variability.scale", 5, "values must be at most 1, 5.2 is too large"),
        (
            f"{BOUND}.Defocus.variability.num_dimensions",
            3,
            "must be a number, which UniformDistributionNdHomogeneous does not",
        ),
        (
            f"{BOUND}.Defocus.variability._target_",
            "os.system",
            "there is no _target_ 'os.system' here; some of the 14 known are",
        ),
        (f"{BOUND}.Defocus.variability._target_", "$builtins.Constnt", "did you mean '$builtins.Constant'?"),
        (f"{BOUND}.Defocus.variability._target_", None, "needs a _target_"),
        (f"{BOUND}.BackgroundPatchSeed.variability.value", "a", "the value must be a number, not 'a'"),
        (f"{BOUND}.BackgroundPatchSeed.variability.value", {}, "not a mapping"),
        (f"{BOUND}.ParticleDimension.variability.location", -9, "values must be at least 0, -9 is too small"),
        (f"{CONDITIONS}.sets.S", {"criterion": "$IsParticle and"}, "at position 16 expected"),
        (
            f"{CONDITIONS}.sets.S",
            {"criterion": "$IsParticl"},
            "there is no criterion 'IsParticl'; did you mean 'IsParticle'?",
        ),
        (f"{CONDITIONS}.sets.AllParticles", {}, "'AllParticles' is a built-in set; give yours another name"),
        (f"{CONDITIONS}.feature_criteria.IsParticle", {"_target_": "$builtins.AlwaysTrue"}, "is a built-in criterion"),
        (
            f"{CONDITIONS}.feature_criteria.C",
            {"_target_": "$builtins.IsEqualTo", "feature_name": "sice", "comparand": 1, "default_return_value": False},
            "nothing in this recipe has a feature 'sice'",
        ),
        (
            f"{CONDITIONS}.feature_criteria.C",
            {"_target_": "$builtins.IsEqualTo", "feature_name": "x"},
            "a value is missing",
        ),
        (f"{GENERATION}.5.gravity.2", "abc", "must be a number, not 'abc'"),
        (f"{GENERATION}.5.gravity", [0, 0], "a value is missing"),
        (f"{GENERATION}.5.gravity", 1, "must be a list, not 1"),
        (f"{GENERATION}.5.mass", float("nan"), "must be"),
        (f"{GENERATION}.5.collision_shape", "BALL", "there is no 'BALL' here"),
        (f"{GENERATION}.5.friction", -1, "must be at least 0, not -1"),
        (f"{GENERATION}.5.use_gravity", "on", "must be true or false, not 'on'"),
        (f"{GENERATION}.5.id", "Relax", "'Relax' is not a name that may be used here"),
        (
            f"{GENERATION}.2.affected_set_name",
            "AllParticle",
            "there is no set 'AllParticle'; did you mean 'AllParticles'?",
        ),
        (f"{GENERATION}.2.feature_variability_name", "Size", "there is no variability 'Size'"),
        (
            f"{GENERATION}.2.affected_set_name",
            "AllMeasurementTechniques",
            "has the feature 'dimensions'; choose another set",
        ),
        (f"{GENERATION}.5.affected_set_name", "AllMeasurementTechniques", "this step is about particles"),
        (
            f"{GENERATION}.1.affected_set_name",
            "AllMeasurementTechniqueBlueprints",
            "a run has exactly one measurement technique",
        ),
        (
            f"{GENERATION}.0.affected_set_name",
            "AllParticleBlueprints",
            "invokes particles before the measurement technique",
        ),
        (GENERATION, [], "no step invokes a measurement technique"),
        (f"{RENDERING}.1.rendering_mode", "reel", "there is no rendering mode 'reel'; did you mean 'real'?"),
        (f"{RENDERING}.1.image_file_extension", "jpeg", "'jpeg' is not available in this version; pictures are png"),
        (f"{RENDERING}.1.subfolder", "../up", "'../up' is not a name that may be used here"),
        (f"{RENDERING}.0.name", "../up", "'../up' is not a name that may be used here"),
        (RENDERING, None, "must be a list, not null"),
        ("synth_chan", {}, "there is no key 'synth_chan' here; did you mean 'synth_chain'?"),
    ],
)
def test_a_mistake_is_one_sentence_at_its_path(spheres_tree, put, refusal, path, value, sentence) -> None:
    refused = refusal(parse_recipe, put(spheres_tree, path, value))
    assert sentence in refused
    start = path.split(".")[0]
    assert refused.startswith((start, "synth_chain", "process_conditions"))


def test_the_path_of_an_error_leads_to_its_value(spheres_tree, put, refusal) -> None:
    tree = put(spheres_tree, f"{GENERATION}.5.gravity.2", "abc")
    assert refusal(parse_recipe, tree) == f"{GENERATION}[5].gravity[2]: must be a number, not 'abc'"
    tree = put(spheres_tree, f"{GENERATION}.5._target_", "os.system")
    assert refusal(parse_recipe, tree).startswith(f"{GENERATION}[5]._target_: there is no _target_ 'os.system' here")


def test_too_many_particles_in_all(spheres_tree, put, refusal) -> None:
    bead = {**spheres_tree["blueprints"]["particles"]["Bead"], "number": 40_000}
    tree = put(spheres_tree, "blueprints.particles", {"A": bead, "B": bead})
    assert "there are 80,000 particles in all, at most 65,535 have an id" in refusal(parse_recipe, tree)


@pytest.mark.parametrize(
    ("variability", "drawn"),
    [
        ("BackgroundPatchSeed", {"_target_": "$builtins.Constant", "value": -2.5}),
        ("BackgroundPatchSeed", {"_target_": f"{UNIFORM}NdHomogeneous", "location": 0, "scale": 1000}),
        ("Defocus", {"_target_": f"{UNIFORM}NdHomogeneous", "location": -0.5, "scale": 1}),
        ("NoiseThreshold", {"_target_": "$builtins.Constant", "value": 4}),
    ],
)
def test_features_accept_the_values_of_the_predecessors_recipes(
    spheres_tree, put, variability: str, drawn: dict
) -> None:
    assert parse_recipe(put(spheres_tree, f"{BOUND}.{variability}.variability", drawn))


def test_zero_particles_are_valid(spheres_tree, put) -> None:
    assert parse_recipe(put(spheres_tree, f"{BEAD}.number", 0)).blueprints.particles["Bead"].number == 0


def test_whole_floats_are_integers_and_integers_are_floats(spheres_tree, put) -> None:
    recipe = parse_recipe(put(spheres_tree, f"{BEAD}.number", 600.0))
    assert recipe == parse_recipe(spheres_tree)
    assert type(recipe.process_conditions.feature_variabilities["ParticleDimension"].variability.location) is float


def test_two_dampings_exclude_each_other(spheres_tree, put, refusal) -> None:
    tree = put(put(spheres_tree, f"{GENERATION}.5.damping", 0.5), f"{GENERATION}.5.linear_damping", 0.5)
    assert "damping sets both linear_damping and angular_damping" in refusal(parse_recipe, tree)


def test_ids_and_state_names_are_unique(spheres_tree, put, refusal) -> None:
    tree = put(put(spheres_tree, f"{GENERATION}.1.id", "a"), f"{GENERATION}.2.id", "a")
    assert f"{GENERATION}[2].id: 'a' is the id of {GENERATION}[1] too" in refusal(parse_recipe, tree)
    tree = put(spheres_tree, f"{RENDERING}.1", {"_target_": "$builtins.SaveState", "name": "state"})
    assert f"{RENDERING}[1].name: 'state' is the name of {RENDERING}[0] too" in refusal(parse_recipe, tree)


def test_a_state_is_loaded_only_after_it_was_saved(spheres_tree, put, refusal) -> None:
    steps = spheres_tree["synth_chain"]["feature_generation_steps"]
    load = {"_target_": "$builtins.LoadState", "name": "before"}
    save = {"_target_": "$builtins.SaveState", "name": "before"}
    assert "no step before this one saves a state 'before'" in refusal(
        parse_recipe, put(spheres_tree, GENERATION, [*steps, load])
    )
    recipe = parse_recipe(put(spheres_tree, GENERATION, [*steps[:3], save, *steps[3:], load]))
    assert isinstance(recipe.synth_chain.feature_generation_steps[-1], LoadState)


AGGLOMERATION = {
    "_target_": "synthpic2.recipe.synth_chain.feature_generation_steps.AgglomerateParticles",
    "affected_set_name": "AllParticles",
    "mode": "Cluster-Cluster",
    "speed": 1,
    "randomness": 0,
    "primary_particle_number_variability": {"_target_": "$builtins.Constant", "value": 3},
}


def test_agglomeration_has_a_nested_variability(spheres_tree, put) -> None:
    step = parse_recipe(put(spheres_tree, f"{GENERATION}.5", AGGLOMERATION)).synth_chain.feature_generation_steps[5]
    assert isinstance(step, AgglomerateParticles)
    assert (step.mode, step.primary_particle_number_variability) == ("cluster-cluster", Constant(value=3.0))


@pytest.mark.parametrize(
    ("key", "value", "path", "problem"),
    [
        ("mode", "ballistic", "mode", "there is no 'ballistic' here; known are ballistic_cluster_agglomeration, "),
        ("speed", 0, "speed", "must be greater than 0, not 0"),
        ("randomness", 1.1, "randomness", "must be at most 1, not 1.1"),
        ("sintering_ratio", -0.1, "sintering_ratio", "must be at least 0, not -0.1"),
        ("sintering_ratio", 1.5, "sintering_ratio", "must be at most 1, not 1.5"),
        (
            "primary_particle_number_variability",
            {"_target_": "$builtins.Constant", "value": "three"},
            "primary_particle_number_variability.value",
            "number",
        ),
        (
            "primary_particle_number_variability",
            {"_target_": "$builtins.Constant", "value": 0},
            "primary_particle_number_variability.value",
            "an agglomerate has one particle or more, not 0",
        ),
        (
            "primary_particle_number_variability",
            {"_target_": "$plugins.official.UniformDistributionInt", "location": -2, "scale": 5},
            "primary_particle_number_variability.location",
            "values must be at least 0, -2 is too small",
        ),
    ],
)
def test_agglomeration_refuses(spheres_tree, put, refusal, key, value, path, problem) -> None:
    sentence = refusal(parse_recipe, put(spheres_tree, f"{GENERATION}.5", AGGLOMERATION | {key: value}))
    assert f"{GENERATION}[5].{path}: " in sentence
    assert problem in sentence


@pytest.mark.parametrize(("mode", "randomness"), [(mode, process[1]) for mode, process in PUBLISHED_MODES.items()])
def test_published_names_of_agglomeration_include_the_randomness(spheres_tree, put, mode, randomness) -> None:
    named = {key: value for key, value in AGGLOMERATION.items() if key != "randomness"} | {"mode": mode}
    for written in (named, named | {"randomness": randomness}):
        step = parse_recipe(put(spheres_tree, f"{GENERATION}.5", written)).synth_chain.feature_generation_steps[5]
        assert isinstance(step, AgglomerateParticles)
        assert step.mode == mode


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            {"mode": "particle-cluster", "randomness": None},
            "randomness is missing; the mode particle-cluster needs it: 0 is straight flight, 1 diffusion",
        ),
        (
            {"mode": "ballistic_cluster_agglomeration", "randomness": 0.5},
            "the mode ballistic_cluster_agglomeration has the randomness 0, not 0.5; leave the randomness out, "
            "or take the mode cluster-cluster",
        ),
    ],
)
def test_agglomeration_refuses_another_randomness(spheres_tree, put, refusal, keys, problem) -> None:
    sentence = refusal(parse_recipe, put(spheres_tree, f"{GENERATION}.5", AGGLOMERATION | keys))
    assert f"{GENERATION}[5]: {problem}" in sentence


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("synthpic2.recipe.process_conditions.variabilities.Constant", "$builtins.Constant"),
        ("$builtins.Constant", "$builtins.Constant"),
    ],
)
def test_legacy_targets_are_aliases(spheres_tree, put, written: str, canonical: str) -> None:
    recipe = parse_recipe(put(spheres_tree, f"{BOUND}.BackgroundPatchSeed.variability._target_", written))
    assert recipe.process_conditions.feature_variabilities["BackgroundPatchSeed"].variability.target == canonical


@pytest.mark.parametrize("prefix", ["$plugins.official", "plugins.official.process_conditions.variabilities"])
def test_official_plugins_are_aliases(spheres_tree, put, prefix: str) -> None:
    variability = {"_target_": f"{prefix}.UniformDistributionInt", "location": 1, "scale": 3}
    recipe = parse_recipe(put(spheres_tree, f"{BOUND}.BackgroundPatchSeed.variability", variability))
    drawn = recipe.process_conditions.feature_variabilities["BackgroundPatchSeed"].variability
    assert drawn.target == "$plugins.official.UniformDistributionInt"


def test_the_recipe_of_mixed_shapes_is_valid(mixed) -> None:
    recipe = mixed("blueprints.particles.Lens.number=3")
    assert recipe.blueprints.particles["Lens"].custom_features[0].value == 12


def test_every_override_of_the_tutorials_sweep_composes(spheres) -> None:
    recipe = spheres("blueprints.particles.Bead.number=100", f"{GENERATION}.5.gravity.2=-10000")
    assert recipe.blueprints.particles["Bead"].number == 100


def test_a_bare_base_recipe_misses_its_seed(written) -> None:
    path = written(main="defaults: [BaseRecipe]")
    tree = resolve(compose_recipe(read_recipe(path)))
    with pytest.raises(ValueError, match=r"initial_runtime_state.seed: a value is missing"):
        parse_recipe(tree)
