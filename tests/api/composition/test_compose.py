"""Composition: defaults, fragments, overrides, step ids, interpolations."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.overrides import check_path, index_path
from synth_api.composition.source import read_recipe
from synth_api.errors import InputError

ROOT = Path(__file__).parents[3]
SPHERES = ROOT / "recipes/spheres_sem.yaml"
MIXED = ROOT / "recipes/mixed_shapes.yaml"
RELAX = "synth_chain.feature_generation_steps.5"


def compose_file(path: Path, *overrides: str) -> dict:
    return compose_recipe(read_recipe(path), overrides)


def test_own_content_wins_over_fragments_and_maps_merge_while_lists_are_replaced(written) -> None:
    tree = compose_file(
        written(
            main="defaults: [BaseRecipe, scene]\ninitial_runtime_state: {seed: 2}\n"
            "process_conditions: {sets: {A: {criterion: 'False'}}}\nsynth_chain: {rendering_steps: [{b: 2}]}",
            scene="initial_runtime_state: {seed: 1}\n"
            "process_conditions: {sets: {B: {}}}\nsynth_chain: {rendering_steps: [{a: 1}, {c: 3}]}",
        )
    )
    assert tree["initial_runtime_state"]["seed"] == 2
    assert tree["process_conditions"]["sets"] == {"A": {"criterion": "False"}, "B": {}}
    assert tree["synth_chain"]["rendering_steps"] == [{"b": 2}]


def test_self_before_a_fragment_lets_the_fragment_win(written) -> None:
    path = written(
        main="defaults: [BaseRecipe, _self_, scene]\ninitial_runtime_state: {seed: 2}",
        scene="initial_runtime_state: {seed: 1}",
    )
    assert compose_file(path)["initial_runtime_state"]["seed"] == 1


def test_a_diamond_of_parents_keeps_the_values_of_each(written) -> None:
    tree = compose_file(
        written(
            main="defaults: [left, right, BaseRecipe, _self_]",
            left="defaults: [BaseRecipe, common, _self_]\nprocess_conditions: {sets: {L: {}}}",
            right="defaults: [BaseRecipe, common, _self_]\nblueprints: {particles: {P: {number: 3}}}",
            common="initial_runtime_state: {seed: 5}",
        )
    )
    assert set(tree["process_conditions"]["sets"]) == {"L"}
    assert tree["blueprints"]["particles"]["P"]["number"] == 3
    assert tree["initial_runtime_state"]["seed"] == 5


def test_strings_that_yaml_could_misread_are_kept(written) -> None:
    text = 'defaults: [BaseRecipe]\nprocess_conditions: {sets: {S: {criterion: "1e5 \\x7f \\u2028 \\U0001F600 é"}}}'
    assert (
        compose_file(written(main=text))["process_conditions"]["sets"]["S"]["criterion"]
        == "1e5 \x7f \u2028 \U0001f600 é"
    )


def test_unwritten_keys_of_typed_nodes_need_no_plus() -> None:
    tree = compose_file(
        SPHERES, "blueprints.particles.Bead.parent=x", "synth_chain.feature_generation_steps.5.gravity.2=-1e4"
    )
    assert tree["blueprints"]["particles"]["Bead"]["parent"] == "x"
    assert tree["synth_chain"]["feature_generation_steps"][5]["gravity"] == [0, 0, -1e4]


def test_plus_adds_and_tilde_deletes() -> None:
    tree = compose_file(
        SPHERES,
        f"+{RELAX}.friction=0.5",
        f"++{RELAX}.num_frames=3",
        f"~{RELAX}.use_gravity",
        "+process_conditions.sets.S={criterion: '$IsParticle'}",
    )
    step = tree["synth_chain"]["feature_generation_steps"][5]
    assert step["friction"] == 0.5
    assert step["num_frames"] == 3
    assert "use_gravity" not in step
    assert tree["process_conditions"]["sets"]["S"]["criterion"] == "$IsParticle"


def test_a_step_id_stands_for_its_index() -> None:
    tree = compose_file(MIXED, "synth_chain.feature_generation_steps.settle.gravity.2=-5")
    assert tree["synth_chain"]["feature_generation_steps"][6]["gravity"][2] == -5
    path = index_path(tree, "synth_chain.feature_generation_steps.settle.gravity.2")
    assert path == "synth_chain.feature_generation_steps.6.gravity.2"
    check_path(tree, path)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "blueprints.particles.Bead.nmber=5",
            "there is no key 'nmber' in blueprints.particles.Bead "
            "(to add it, write +blueprints.particles.Bead.nmber=…); did you mean 'number'?",
        ),
        (f"{RELAX}.mass=1", f"(to add it, write +{RELAX}.mass=…); known are _target_,"),
        ("synth_chain.feature_generation_steps.settle.gravity=1", "'settle' is neither an index nor the id"),
        ("synth_chain.feature_generation_steps.55.gravity=1", "there is no entry 55, the list has 11, from 0"),
        (f"~{RELAX}", "write the whole list in a recipe or fragment"),
        ("+synth_chain.feature_generation_steps.11={}", "write the whole list in a recipe or fragment"),
        ("~blueprints.particles.Bead.number", "a key of the language cannot be deleted"),
        ("blueprints.particles.Bead=5", "blueprints.particles.Bead: must be a mapping with its kind's keys"),
        ("blueprints.measurement_techniques=null", "must be a mapping, not null"),
        ("initial_runtime_state.seed=1,2", "is an axis of a sweep; give one value here"),
        ("initial_runtime_state.seed=range(3)", "is an axis of a sweep; give one value here"),
        ("initial_runtime_state.seed", "it gives no value; write initial_runtime_state.seed=…"),
        ("+blueprints.particles.Bead.number=3", "there is a value already, 600; write the override without its +"),
        ("~initial_runtime_state.seed=43", "the value to take out is 42, not 43; write ~initial_runtime_state.seed"),
        ("=3", "'=3' names nothing to change; write the path of a value in front, a.b=1"),
        ("initial_runtime_state.seed='${oc.env:HOME}'", "'${oc.env:HOME}' is not allowed here: a cluster"),
        ("hydra.run.dir=/tmp", "Hydra's own settings do not apply here"),
        ("hydra/launcher=joblib", "config groups are not available"),
        ("+blueprints.particles.X=[1]", "must be a mapping with its kind's keys"),
        ("+blueprints.particles.null={number: 2}", "null, true, false and numbers cannot be names; use letters"),
        ("+blueprints.particles={null: {number: 2}}", "null, true, false and numbers cannot be names"),
        (
            "+blueprints.particles.1={number: 2}",
            "blueprints.particles.1: null, true, false and numbers cannot be names",
        ),
        ("+blueprints.particles.true={number: 2}", "null, true, false and numbers cannot be names"),
        ("seed=1", "seed: there is no key 'seed'; did you mean 'initial_runtime_state.seed'?"),
        ("sed=1", "sed: there is no key 'sed'; did you mean 'initial_runtime_state.seed'?"),
        ("runtime.seed=1", "there is no key 'runtime'; did you mean 'initial_runtime_state.seed'?"),
        ("Beads.number=1", "there is no key 'Beads'; did you mean 'blueprints.particles.Bead.number'?"),
        ("blueprint.particles.Bead.number=1", "no key 'blueprint'; did you mean 'blueprints.particles.Bead.number'?"),
        ("gravity=1", "did you mean 'synth_chain.feature_generation_steps.5.gravity'?"),
        ("foo=1", "there is no key 'foo'; known are blueprints, dataset, initial_runtime_state,"),
    ],
)
def test_an_override_that_cannot_work_is_refused(refusal, override: str, problem: str) -> None:
    assert problem in refusal(compose_file, SPHERES, override)


def test_a_feature_is_compared_with_those_that_the_recipe_does_not_set(refusal) -> None:
    transmission, features = (
        SPHERES.with_name("agglomerates_tem.yaml"),
        "blueprints.measurement_techniques.TEM.features",
    )
    problem = f"there is no key 'underfocuss' in {features} (to add it, write +{features}.underfocuss=…); did you mean "
    assert refusal(compose_file, transmission, f"{features}.underfocuss=3").endswith(f"{problem}'underfocus'?")
    assert refusal(compose_file, transmission, f"{features}.underfocus=3").endswith(f"write +{features}.underfocus=…)")


def test_a_key_below_null_is_refused(written, refusal) -> None:
    path = written(main="defaults: [BaseRecipe]\nprocess_conditions: {sets: null}")
    assert refusal(compose_file, path, "+process_conditions.sets.S.criterion='True'")


def test_an_unknown_key_of_a_file_is_refused(written, refusal) -> None:
    text = "defaults: [BaseRecipe]\nblueprints: {particles: {Bead: {nmber: 3}}}"
    assert refusal(compose_file, written(main=text)) == (
        "blueprints.particles.Bead.nmber: there is no key 'nmber' here; did you mean 'number'?"
    )


def test_references_resolve_after_overrides() -> None:
    tree = resolve(compose_file(SPHERES, "initial_runtime_state.seed=7"))
    assert tree["process_conditions"]["feature_variabilities"]["BackgroundPatchSeed"]["variability"]["value"] == 7


def test_references_may_pass_through_others_and_give_whole_nodes() -> None:
    assert resolve({"a": "${b.c}", "b": "${d}", "d": {"c": [1, "${e}"]}, "e": 2, "f": "${a[0]}"}) == {
        "a": [1, 2],
        "b": {"c": [1, 2]},
        "d": {"c": [1, 2]},
        "e": 2,
        "f": 1,
    }


def test_interpolations_in_texts_and_relative_interpolations() -> None:
    assert resolve(
        {
            "text": "n${n}_${half}_${flag}",
            "n": 1.0,
            "half": 0.5,
            "flag": True,
            "below": {"own": "${.n}", "above": "${..n}", "n": 7, "list": ["${.1}", "${..n}"]},
            "key": "n",
            "computed": "${below.${key}}",
            "plain": r"\${n} \\${n} a\b $n",
        }
    ) == {
        "text": "n1_0.5_True",
        "n": 1.0,
        "half": 0.5,
        "flag": True,
        "below": {"own": 7, "above": 1.0, "n": 7, "list": [7, 7]},
        "key": "n",
        "computed": 7,
        "plain": r"${n} \1 a\b $n",
    }


KEYS = st.sampled_from(["a", "b", "c"])
REFERENCES = st.builds(
    lambda dots, keys: f"${{{dots}{'.'.join(keys)}}}",
    st.sampled_from(["", ".", "..", "..."]),
    st.lists(KEYS, min_size=1, max_size=3),
)
TEXTS = st.lists(REFERENCES | st.sampled_from(["x", " ", "$", "\\", "-"]), min_size=1, max_size=4).map("".join)
TREES = st.recursive(
    st.integers(0, 3) | TEXTS, lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2)
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.dictionaries(KEYS, TREES, min_size=1))
def test_interpolations_resolve_as_in_omegaconf(tree: dict) -> None:
    try:
        resolved = resolve(tree)
    except InputError:
        return
    assert resolved == OmegaConf.to_container(OmegaConf.create(tree), resolve=True)


def test_multiplying_texts_cost_no_time_where_they_are_overridden(written, refusal) -> None:
    """Hydra follows what an override replaces, and OmegaConf a text as often as it is named."""
    levels = ", ".join(f"x{n}: {{criterion: '${{..x{n + 1}.criterion}}${{..x{n + 1}.criterion}}'}}" for n in range(30))
    path = written(
        main="defaults: [BaseRecipe, scene]\nprocess_conditions: {sets: {x0: {criterion: 'True'}}}",
        scene=f"process_conditions: {{sets: {{{levels}, x30: {{criterion: a}}}}}}",
    )
    tree = compose_file(path, "process_conditions.sets.x1.criterion='${..x2.criterion}${..x2.criterion}'")
    assert "becomes longer than 4,096 characters" in refusal(resolve, tree)


@pytest.mark.parametrize(
    "overrides",
    [
        ["+blueprints.particles.X={geometry_prototype_name: sphere, number: 3}"],
        ["+blueprints.particles.X.number=3", "blueprints.particles.X.geometry_prototype_name=sphere"],
        ["+blueprints.particles={X: {geometry_prototype_name: sphere, number: 3}}"],
        ["++blueprints.particles.X={geometry_prototype_name: sphere}", "blueprints.particles.X.number=3"],
    ],
)
def test_a_blueprint_is_added_by_override(written, overrides: list[str]) -> None:
    text = SPHERES.read_text().replace(
        "  particles:\n", "  particles:\n    X: {geometry_prototype_name: sphere, number: 3}\n"
    )
    assert compose_file(SPHERES, *overrides) == compose_file(written(main=text))


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        (
            {"a": {"b": "${initial.sed}"}, "initial": {"seed": 1}},
            "a.b: '${initial.sed}' refers to nothing: there is no 'sed'",
        ),
        ({"a": "${b}", "b": "${a}"}, "b: '${a}' refers to itself"),
        ({"a": "${b.x}", "b": "${a.x}"}, "a: '${b.x}' refers to itself"),
        ({"k": "x${l}", "l": "${k}"}, "l: '${k}' refers to itself"),
        ({"a": {"b": "${a}"}}, "refers to itself"),
        ({"a": "${oc.env:HOME}"}, "'${oc.env:HOME}' is not allowed here"),
        ({"a": "${..b}"}, "a: '${..b}' leads above the root of the recipe; remove dots"),
        ({"a": "x ${b}", "b": {}}, "a: 'x ${b}' puts a mapping into a text; refer to a plain value"),
        ({f"x{i}": [f"${{x{i + 1}}}"] * 10 for i in range(12)} | {"x12": 0}, "more than 262,144 values"),
        ({f"x{i}": f"${{x{i + 1}}}" * 2 for i in range(40)} | {"x40": "a"}, "x28}' becomes longer than 4,096"),
        ({f"x{i}": f"${{x{i + 1}}}" for i in range(5000)}, "interpolations form a chain of more than 100 values"),
        ({f"x{i}": f"${{x{i + 1}.a}}" for i in range(5000)}, "interpolations form a chain of more than 100 values"),
        ({"x": ["${a.b}"] * 30_000, "a": "${e}", "e": {"b": ["1"] * 10_000}}, "x: interpolations make more than"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused(refusal, tree: dict, problem: str) -> None:
    assert problem in refusal(resolve, tree)
