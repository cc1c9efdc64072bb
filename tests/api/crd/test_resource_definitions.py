"""The definitions in the tree are those of the models, bounded and free-form only where a recipe is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from synth_api.crd.resource_definitions import KINDS, Kind, build_definition
from synth_api.resources.base import list_keys
from synth_api.resources.pod_template import PodTemplate

ROOT = Path(__file__).parents[3]
FREE_FORM = {
    "synthrecipes": {"spec.recipe", "spec.fragments.*"},
    "synthsweeps": {
        "spec.recipe",
        "spec.fragments.*",
        "spec.axes[].values[]",
        "spec.axes[].zip[].values[]",
        "spec.exclude[]",
        "status.failures[].overrides",
    },
    "synthdatasets": set(),
}


def schema(kind: Kind) -> dict[str, Any]:
    root: dict[str, Any] = build_definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}".lstrip("."))
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")
    if "additionalProperties" in node:
        yield from nodes(node["additionalProperties"], f"{path}.*")


@pytest.mark.parametrize("folder", ["crds", "charts/synth-operator/files/crds"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_the_files_are_up_to_date(folder: str, kind: Kind) -> None:
    written = yaml.safe_load((ROOT / folder / f"{kind.plural}.yaml").read_text(encoding="utf-8"))
    assert written == build_definition(kind), "run tools/crds.py"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_only_trees_of_recipes_values_and_pods_are_free_form(kind: Kind) -> None:
    free = {path for path, node in nodes(schema(kind)) if "x-kubernetes-preserve-unknown-fields" in node}
    assert {path for path in free if not path.startswith("spec.podTemplate")} == FREE_FORM[kind.plural]


def test_a_pod_template_shows_what_is_allowed_and_keeps_what_only_trust_allows() -> None:
    sweep = next(kind for kind in KINDS if kind.plural == "synthsweeps")
    found = {path: node for path, node in nodes(schema(sweep)) if path.startswith("spec.podTemplate")}
    objects = {path for path, node in found.items() if "properties" in node}
    assert {path for path in objects if "x-kubernetes-preserve-unknown-fields" not in found[path]} == {
        "spec.podTemplate.spec.tolerations[]"
    }
    assert set(found["spec.podTemplate.spec"]["properties"]) == set(list_keys(PodTemplate, ("spec",)))
    assert not [path for path, node in found.items() if "default" in node], "would be written into every pod"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_every_field_is_explained(kind: Kind) -> None:
    bare = {path for path, node in nodes(schema(kind)) if "description" not in node and not path.endswith(("[]", "*"))}
    assert bare <= {"apiVersion", "kind", "metadata"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_every_column_and_selectable_field_exists(kind: Kind) -> None:
    known = {f".{path}" for path, _ in nodes(schema(kind))} | {".metadata.creationTimestamp"}
    paths = {column.path.partition("[?")[0] for column in kind.columns} | set(kind.selectable)
    assert paths <= known


@pytest.mark.parametrize(
    ("plural", "names"),
    [
        ("synthsweeps", ["PHASE", "DONE", "TOTAL", "CACHED", "FAILED", "ETA", "AGE"]),
        ("synthdatasets", ["PHASE", "VERSION", "RUNS", "SPLITS", "EXPORTS", "READY", "AGE"]),
    ],
)
def test_the_columns_that_kubectl_get_prints(plural: str, names: list[str]) -> None:
    columns = next(kind.columns for kind in KINDS if kind.plural == plural)
    assert [column.name.upper() for column in columns if not column.wide] == names


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_a_new_resource_has_a_status_with_phase_pending(kind: Kind) -> None:
    unseen = schema(kind)["properties"]["status"]["default"]
    assert unseen["observedGeneration"] == 0
    assert kind.status.model_validate(unseen) == kind.status()
