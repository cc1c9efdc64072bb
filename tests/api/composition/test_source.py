"""Recipe files: what is read, and what is refused with one sentence."""

import unicodedata
from pathlib import Path

import pytest

from synth_api.composition.compose import compose_recipe
from synth_api.composition.source import RecipeSource, read_recipe, read_recipe_objects

HEAD = "defaults: [BaseRecipe, _self_]\n"


def test_a_recipe_is_read_with_the_fragments_it_names(written) -> None:
    path = written(main="defaults: [BaseRecipe, scene, _self_]", scene="defaults: [more]", more="{}", other="{}")
    source = read_recipe(path)
    assert source.name == "main"
    assert set(source.files) == {"main", "scene", "more"}
    assert source.files["scene"]["defaults"] == ["more", "_self_"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "main.yaml: the file is empty"),
        ("just words", "must be a YAML mapping, not 'just words'"),
        ("- a", "must be a YAML mapping, not a list"),
        ("a: [", "this is not YAML"),
        ("\x00", "this is not YAML"),
        (
            HEAD + "blueprints: !!python/object:os.system {}",
            "line 2: the YAML tag '!!python/object:os.system' is not",
        ),
        (HEAD + "blueprints: {a: *b}", "found undefined alias 'b' in line 2"),
        (HEAD + "blueprints: {a: &a [1, *a]}", "line 2: the alias '*a' lies within its own anchor; write the value"),
        (HEAD + "blueprints: {a: &x 1, b: &x 2}", "line 2: the anchor '&x' is there twice; rename one of them"),
        (HEAD + "blueprints: {a: 1, a: 2}", "the key 'a' appears twice in line 2, column 20"),
        (
            HEAD + "blueprint: {}",
            "main.yaml: blueprint: a recipe has no section 'blueprint'; did you mean 'blueprints'?",
        ),
        (HEAD + "blueprints: {1: 2}", "the key 1 must be a string"),
        (HEAD + "blueprints: {a: .nan}", "main.yaml: blueprints.a: must be a finite number, not nan"),
        (HEAD + "blueprints: {a: .inf}", "null, for none"),
        (HEAD + "blueprints: {a: 9007199254740992}", "must lie within"),
        (
            HEAD + "blueprints: {a: '${oc.env:HOME}'}",
            "blueprints.a: '${oc.env:HOME}' is not allowed here: a cluster does not have the environment",
        ),
        (HEAD + "blueprints: {a: '${oc.dict.keys:b}'}", "'${oc.dict.keys:b}' calls 'oc.dict.keys', a resolver that is"),
        (
            HEAD + "blueprints: {a: '${a${b}}'}",
            "'${a${b}}' cannot be read; an interpolation is ${a.b}, ${.b} or ${..b}",
        ),
        (HEAD + "blueprints: {a: 'x ${b'}", "'x ${b' cannot be read"),
        (HEAD + "blueprints: {a: '" + "${b}" * 1025 + "'}", "a text with interpolations has at most 4,096 characters"),
        (HEAD + "blueprints: {a: '" + "${a." * 9 + "b" + "}" * 9 + "'}", "has more than 8 interpolations within each"),
        ("defaults: BaseRecipe", "main.yaml: defaults: must be a list of names, not 'BaseRecipe'"),
        ("defaults: [BaseRecipe, ../secret]", "main.yaml: defaults[1]: '../secret' is not allowed"),
        ("defaults: [BaseRecipe, /etc/passwd]", "there is no fragment 'etc/passwd', a file etc/passwd.yaml beside"),
        ("defaults: [BaseRecipe, scene@a..b]", "'scene@a..b' is not allowed"),
        ("defaults: [BaseRecipe, 3]", "main.yaml: defaults[1]: 3 is not allowed; name BaseRecipe"),
        ("defaults: [BaseRecipe, {override group: scene}]", "'override group' is not allowed"),
        ("defaults: [BaseRecipe, {}]", "defaults[1]: '' is not allowed"),
        ("defaults: [BaseRecipe, scene@" + "a." * 60 + "a]", "is not allowed; name BaseRecipe"),
        ("defaults: [BaseRecipe, " + "a/" * 60 + "a]", "is not allowed; name BaseRecipe"),
        ("defaults: [BaseRecipe, {../group: scene}]", "'../group' is not allowed"),
        (
            "defaults: [BaseRecipe, {group: scene}]",
            "there is no fragment 'group/scene', a file group/scene.yaml beside the recipe; there are none",
        ),
        (
            "defaults: [BaseRecipe, scne]",
            "there is no fragment 'scne', a file scne.yaml beside the recipe; did you mean 'scene'?",
        ),
        ("blueprints: {}", "main.yaml: this is a fragment"),
        (HEAD + "blueprints: " + "[" * 60 + "]" * 60, "is nested more than 50 deep"),
        ("[" * 100_000, "is nested more than 50 deep"),
        (HEAD + "blueprints: {a: " + "9" * 6000 + "}", "a number in it has too many digits"),
        (HEAD + "blueprints: {a: " + "x" * 140_000 + "}", "at most 131,072 are allowed"),
    ],
)
def test_files_that_are_no_recipes_are_refused(written, refusal, text: str, problem: str) -> None:
    assert problem in refusal(read_recipe, written(main=text, scene="{}"))


def test_aliases_have_the_values_of_their_anchors(written) -> None:
    anchored = "blueprints: {a: &a {x: 1, y: [2]}, b: *a, c: {<<: *a, x: 3}}"
    plain = "blueprints: {a: {x: 1, y: [2]}, b: {x: 1, y: [2]}, c: {x: 3, y: [2]}}"
    assert read_recipe(written(main=HEAD + anchored)).files == read_recipe(written(main=HEAD + plain)).files


def aliases(levels: int, width: int, start: str, level: str) -> str:
    """A mapping whose every level holds the one before it `width` times."""
    lines = [f"l{n + 1}: &l{n + 1} {level % ', '.join([f'*l{n}'] * width)}\n" for n in range(levels)]
    return f"l0: &l0 {start}\n" + "".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (aliases(9, 10, "[x]", "[%s]"), "with its aliases written out the file has more than 262,144 characters"),
        (aliases(18, 2, "{x: 1}", "{<<: [%s]}"), "with its aliases written out the file has more than 262,144"),
        (aliases(1, 2000, "x" * 1000, "[%s]"), "with its aliases written out the file has more than 262,144"),
        (aliases(60, 1, "[x]", "[%s]"), "line 50: with its aliases it is nested more than 50 deep"),
    ],
)
def test_multiplying_aliases_are_refused_before_construction(written, refusal, text, problem) -> None:
    assert problem in refusal(read_recipe, written(main=text))


def test_the_environment_of_a_command_fills_in_its_recipe(written) -> None:
    text = "blueprints: {a: '${oc.env:LAB}-${b}', b: '${oc.env:NONE,x y}', c: '${oc.decode:${oc.env:COUNT}}'}"
    source = read_recipe(written(main=HEAD + text), {"LAB": "north", "COUNT": "12"})
    assert source.files["main"]["blueprints"] == {"a": "north-${b}", "b": "x y", "c": 12}


@pytest.mark.parametrize("name", ["PWD", "AUTHOR", "COMPASS", "PATTERN", "HTTP_PROXY"])
def test_a_variable_that_only_resembles_a_credential_is_used(written, name: str) -> None:
    path = written(main=f"{HEAD}blueprints: {{a: '${{oc.env:{name}}}'}}")
    assert read_recipe(path, {name: "http://lab:3128/a@b"}).files["main"]["blueprints"] == {"a": "http://lab:3128/a@b"}


SHELL = {"ODD": "${b}", "LINES": "hidden\n", "PROXY": "http://user:hidden@lab:3128"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${oc.env:NONE}", "main.yaml: blueprints.a: the environment has no 'NONE'; set it, or write ${oc.env:NONE,d"),
        ("${oc.env:AWS_PROFILE,x}", "'AWS_PROFILE' is named like a credential, which a recipe would publish"),
        ("${oc.env:my_token}", "'my_token' is named like a credential"),
        ("${oc.env:DB_PASS}", "'DB_PASS' is named like a credential"),
        ("${oc.env:GITHUB_PAT,x}", "'GITHUB_PAT' is named like a credential"),
        ("${oc.env:PROXY_AUTH}", "'PROXY_AUTH' is named like a credential"),
        ("${oc.env:MYSQL_PWD}", "'MYSQL_PWD' is named like a credential"),
        ("${oc.env:PROXY}", "'PROXY' holds an address with a credential, which a recipe would publish"),
        ("${oc.env:ODD}", "the environment's 'ODD' must be at most 1,024 printable characters without '$' and '\\'"),
        ("${oc.env:LINES}", "the environment's 'LINES' must be at most 1,024 printable characters"),
        ("${oc.env:NONE,${b}}", "'${oc.env:NONE,${b}}' cannot be read; write ${oc.env:NAME}"),
    ],
)
def test_variables_that_are_refused(written, refusal, text: str, problem: str) -> None:
    path = written(main=HEAD + f"blueprints: {{a: '{text}'}}")
    sentence = refusal(read_recipe, path, {**SHELL, "my_token": "hidden"})
    assert problem in sentence
    assert "hidden" not in sentence


def test_a_fragment_may_end_in_yml(written, tmp_path: Path) -> None:
    path = written(main="defaults: [BaseRecipe, scene]", scene="blueprints: {a: 1}")
    as_yaml = read_recipe(path).files
    (tmp_path / "scene.yaml").rename(tmp_path / "scene.yml")
    assert read_recipe(path).files == as_yaml
    assert read_recipe(path.rename(tmp_path / "main.yml")).files == as_yaml


def test_a_fragment_of_two_files_is_refused(written, refusal, tmp_path: Path) -> None:
    path = written(main="defaults: [BaseRecipe, scene]", scene="blueprints: {a: 1}")
    (tmp_path / "scene.yml").write_text("blueprints: {a: 2}")
    says = f"{tmp_path / 'scene.yaml'}: is the fragment 'scene', and so is scene.yml; remove one of them"
    assert refusal(read_recipe, path) == says


@pytest.mark.parametrize(
    ("file", "entry", "says"),
    [
        ("Scene.yaml", "scene", "; did you mean 'Scene'?"),
        ("SCENE.yml", "scene", "; did you mean 'SCENE'?"),
        ("scene.YAML", "scene", "; there is a file 'scene.YAML': call it scene.yaml"),
        ("scene.yaml.txt", "scene", "; there is a file 'scene.yaml.txt': call it scene.yaml"),
        ("scene.json", "scene", "; there is a file 'scene.json': call it scene.yaml"),
        ("bühne.yaml", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}hne", "hne.yaml': call it bühne.yaml"),
        ("other.txt", "scene", "; there are none"),
    ],
)
def test_a_file_that_is_nearly_the_fragment_is_named(written, refusal, file, entry, says, tmp_path: Path) -> None:
    (tmp_path / unicodedata.normalize("NFD", file)).write_text("blueprints: {}")
    problem = refusal(read_recipe, written(main=f"defaults: [BaseRecipe, {entry}]"))
    assert problem.endswith(unicodedata.normalize("NFC", says))
    assert f"there is no fragment '{entry}', a file {entry}.yaml beside the recipe" in problem


GROUPED = {
    "main": "defaults: [BaseRecipe, {blueprints/particles: [big, more]}, scenes/dark,"
    " {beads@blueprints.particles: own}]",
    "blueprints/particles/big": "Big: {geometry_prototype_name: sphere, number: 3}",
    "blueprints/particles/more": "defaults: [small, /scenes/pale]\nBig: {number: 9}",
    "blueprints/particles/small": "Small: {number: 1}",
    "scenes/dark": "# @package _global_\ninitial_runtime_state: {seed: 7}",
    "scenes/pale": "# @package initial_runtime_state\nseed: 8",
    "beads/own": "Own: {number: 2}",
}


@pytest.fixture
def grouped(tmp_path: Path) -> RecipeSource:
    for name, text in GROUPED.items():
        (tmp_path / f"{name}.yaml").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(text)
    return read_recipe(tmp_path / "main.yaml")


def test_fragments_in_groups_go_to_their_folder_or_package(grouped: RecipeSource) -> None:
    tree = compose_recipe(grouped)
    assert tree["initial_runtime_state"]["seed"] == 7
    particles = tree["blueprints"]["particles"]
    assert {name: particle["number"] for name, particle in particles.items()} == {
        "Big": 9,
        "Small": 1,
        "Own": 2,
    }


def test_groups_are_the_same_in_a_resource(grouped: RecipeSource) -> None:
    fragments = {key.partition("@")[0]: tree for key, tree in grouped.files.items() if key != "main"}
    assert read_recipe_objects("main", grouped.files["main"], fragments) == grouped


def test_a_group_is_a_folder_inside_the_recipes_own(refusal, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.yaml").write_text("Big: {number: 3}")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/group").symlink_to(tmp_path / "outside")
    (tmp_path / "recipes/main.yaml").write_text("defaults: [BaseRecipe, {group: secret}]")
    assert "there is no fragment 'group/secret'" in refusal(read_recipe, tmp_path / "recipes/main.yaml")


def test_a_missing_file_is_named(refusal, tmp_path: Path) -> None:
    assert "none.yaml: cannot be read: No such file" in refusal(read_recipe, tmp_path / "none.yaml")


def test_a_huge_file_is_refused_by_its_size(refusal, tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    assert "the file has 52,428,800 bytes, a recipe at most 262,144" in refusal(read_recipe, path)


def test_binary_files_are_not_yaml(refusal, tmp_path: Path) -> None:
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"\x89PNG\xff")
    assert "this is not YAML" in refusal(read_recipe, path)


def test_defaults_in_a_circle_are_refused(written, refusal) -> None:
    path = written(main="defaults: [BaseRecipe, one]", one="defaults: [two]", two="defaults: [one]")
    assert "form a cycle, one -> two -> one" in refusal(read_recipe, path)


def test_hydras_own_section_is_ignored_with_a_warning(written, caplog) -> None:
    source = read_recipe(written(main=HEAD + "hydra: {searchpath: [file:///etc]}"))
    assert source.files["main"] == {"defaults": ["BaseRecipe", "_self_"]}
    assert "the section 'hydra' is ignored" in caplog.text


def test_scalars_have_the_values_of_omegaconf(written) -> None:
    tree = read_recipe(written(main=HEAD + "blueprints: {a: 1e5, b: 2026-01-01, c: 1_000, d: yes}")).files["main"]
    assert tree["blueprints"] == {"a": 1e5, "b": "2026-01-01", "c": 1000, "d": True}


def test_a_resource_holds_the_same_recipe_as_its_files(written) -> None:
    path = written(main="defaults: [BaseRecipe, scene]", scene="blueprints: {particles: {}}")
    objects = read_recipe_objects(
        "main", {"defaults": ["BaseRecipe", "scene"]}, {"scene": {"blueprints": {"particles": {}}}}
    )
    assert objects == read_recipe(path)


OBJECT = {"defaults": ["BaseRecipe", "_self_"]}


@pytest.mark.parametrize(
    ("recipe", "fragments", "problem"),
    [
        ("words", {}, "recipe: must be a YAML mapping, not 'words'"),
        (OBJECT | {"blueprint": {}}, {}, "recipe: blueprint: a recipe has no section 'blueprint'; did you mean"),
        (
            OBJECT | {"blueprints": {"a": "${oc.env:HOME}"}},
            {},
            "recipe: blueprints.a: '${oc.env:HOME}' is not allowed here",
        ),
        (OBJECT | {"blueprints": {"a": 2**53}}, {}, "recipe: blueprints.a: must lie within"),
        (
            {"defaults": ["BaseRecipe", "scne"]},
            {"scene": {}},
            "recipe: defaults: there is no fragment 'scne', a key 'scne' of `fragments`; did you mean 'scene'?",
        ),
        (
            {"defaults": ["BaseRecipe", "a/b"]},
            {},
            "recipe: defaults: there is no fragment 'a/b', a key 'a/b' of `fragments`; there are none",
        ),
        (OBJECT, {"scene": {"blueprint": {}}}, "fragments.scene: blueprint: a recipe has no section"),
        (OBJECT, {"scene": []}, "fragments.scene: must be a YAML mapping, not a list"),
        (OBJECT, {"BaseRecipe": {}}, "fragments: 'BaseRecipe' cannot be the name of a fragment"),
        (OBJECT, {"main": {}}, "fragments: 'main' cannot be the name of a fragment"),
        (OBJECT, {"../up": {}}, "fragments: '../up' cannot be the name of a fragment here; use letters"),
        ({"blueprints": {}}, {}, "recipe: this is a fragment"),
        (OBJECT, {"scene": {"blueprints": {"a": "x" * 140_000}}}, "at most 131,072 are allowed"),
    ],
)
def test_objects_that_are_no_recipes_are_refused(refusal, recipe, fragments, problem: str) -> None:
    assert problem in refusal(read_recipe_objects, "main", recipe, fragments)


def test_a_resource_name_with_a_dot_is_a_recipe_name() -> None:
    source = read_recipe_objects("spheres.v2", OBJECT | {"initial_runtime_state": {"seed": 3}})
    assert compose_recipe(source, ["initial_runtime_state.seed=4"])["initial_runtime_state"]["seed"] == 4
