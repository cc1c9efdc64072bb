"""CustomResourceDefinitions on a real API server: validation, defaults, columns."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from api_server import ApiServer, api_server
from output_values import RIGHT, WRONG
from overlay_attempts import ALLOWED, ATTEMPTS

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus
from synth_api.resources.synth_sweep import AttemptStatus, Phase, RunCounts, RunFailure, SweepSpec, SweepStatus
from synth_cli.terminal.readable_yaml import dump_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RECIPE = {"recipeRef": {"name": "spheres-sem"}}
VALUES = {"path": "a", "values": [1]}
OUTPUT = {"endpoint": "minio.store:9000", "bucket": "lab"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all")
        yield running


def build_sweep(spec: dict[str, Any], name: str = "s") -> dict[str, Any]:
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthSweep", "metadata": {"name": name}, "spec": spec}


def create_dry_run(server: ApiServer, document: dict[str, Any]) -> dict[str, Any]:
    answer = server.kubectl("create", "--filename=-", "--output=json", "--dry-run=server", stdin=json.dumps(document))
    result: dict[str, Any] = json.loads(answer)
    return result


def build_axes_spec(*given: dict[str, Any]) -> dict[str, Any]:
    return RECIPE | {"axes": list(given)}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (build_sweep({}), "spec: Invalid value: a sweep has either recipeRef, the name of a SynthRecipe, or recipe"),
        (build_sweep(RECIPE | {"recipe": {}}), "write exactly one of them"),
        (
            build_sweep(RECIPE | {"fragments": {"a": {}}}),
            "spec.fragments: Invalid value: fragments belong to an inline recipe",
        ),
        (
            build_sweep(build_axes_spec(VALUES) | {"overrides": ["b=1,2"]}),
            "spec.axes: Invalid value: overrides and axes exclude each other",
        ),
        (build_sweep(RECIPE | {"overrides": ["a=1"] * 65}), "spec.overrides: Too many: 65: must have at most 64 items"),
        (build_sweep(RECIPE | {"overrides": ["a" * 4097]}), "spec.overrides[0]: Too long: may not be more than 4096"),
        (
            build_sweep(RECIPE | {"overrides": [f"a={'1,' * 2000}1"] * 17}),
            "spec.overrides: Invalid value: overrides have at most 65,536 characters together; split the sweep",
        ),
        (build_sweep({"recipe": {f"a{number}": 1 for number in range(257)}}), "spec.recipe: Too many: 257"),
        (
            build_sweep(RECIPE | {"maxFailedRuns": -1}),
            "spec.maxFailedRuns: Invalid value: must be a number of runs or a perc",
        ),
        (build_sweep(RECIPE | {"maxFailedRuns": "101%"}), "must be a number of runs or a percentage from 0% to 100%"),
        (
            build_sweep(RECIPE | {"budget": {}}),
            "spec.budget: Invalid value: a budget has gpuHours, cpuHours or runs; write at least one of them",
        ),
        (build_sweep(RECIPE | {"budget": {"runs": 0}}), "should be greater than or equal to 1"),
        (build_sweep(RECIPE | {"budget": {"cpuHours": 0}}), "should be greater than 0"),
        (
            build_sweep(RECIPE | {"budget": {"gpuHours": 12}}),
            "spec.budget: Invalid value: gpuHours counts the GPUs of the gpu block, which this sweep does not have",
        ),
        (build_sweep(build_axes_spec({"path": "a"})), "spec.axes[0].values: Required value"),
        (
            build_sweep(build_axes_spec(VALUES | {"range": {"stop": 2}})),
            '"spec.axes[0]" must validate one and only one schema (oneOf)',
        ),
        (
            build_sweep(build_axes_spec({"values": [1]})),
            "spec.axes[0]: Invalid value: an axis has either path, with values or range, or zip",
        ),
        (
            build_sweep(build_axes_spec({"path": "a", "zip": [VALUES, VALUES]})),
            "an axis has either path, with values or range, or zip",
        ),
        (build_sweep(build_axes_spec({"zip": [VALUES]})), "spec.axes[0].zip in body should have at least 2 items"),
        (
            build_sweep(build_axes_spec({"path": "a", "values": []})),
            "spec.axes[0].values in body should have at least 1 items",
        ),
        (
            build_sweep(build_axes_spec({"path": "a", "range": {"stop": 2, "step": 0}})),
            "spec.axes[0].range.step: Invalid value: step must",
        ),
        (build_sweep(build_axes_spec({"path": "a", "range": {"stp": 2}})), 'unknown field "spec.axes[0].range.stp"'),
        (build_sweep(build_axes_spec(*17 * [VALUES])), "spec.axes: Too many: 17: must have at most 16 items"),
        (build_sweep(RECIPE, "x" * 41), "the name of a sweep is a DNS label of at most 40 characters"),
        (build_sweep(RECIPE, "a.b"), "the name of a sweep is a DNS label of at most 40 characters"),
        (build_sweep(RECIPE | {"parallelism": 0}), "spec.parallelism in body should be greater than or equal to 1"),
        (
            build_sweep(RECIPE | {"device": "cdua"}),
            'spec.device: Unsupported value: "cdua": supported values: "auto", "gpu"',
        ),
        (
            build_sweep(RECIPE | {"resources": {"requests": {"cpu": "banana"}}}),
            "spec.resources.requests.cpu in body should match",
        ),
        (build_sweep(RECIPE | {"deletionPolicy": "Keep"}), 'supported values: "Retain", "Delete"'),
        (
            build_sweep(RECIPE | {"output": OUTPUT | {"endpoint": "http://x"}}),
            "spec.output.endpoint: Invalid value: must be the host of a store without a scheme",
        ),
        (
            build_sweep(RECIPE | {"output": OUTPUT | {"secretRef": {"name": "a"}, "serviceAccountName": "b"}}),
            "spec.output: Invalid value: the store is opened by either secretRef or serviceAccountName",
        ),
        (build_sweep(RECIPE | {"queueName": 64 * "q"}), "spec.queueName: Too long: may not be more than 63"),
        *(
            (
                build_sweep(RECIPE | {"output": OUTPUT | {"caSecretRef": {"name": name}}}),
                "spec.output.caSecretRef.name",
            )
            for name in ("a..b", "a.-b", "lab\n", "a/../../x", "a" * 254)
        ),
        *(
            (
                build_sweep(RECIPE | {"output": OUTPUT | {"caSecretRef": {"name": "a", "key": key}}}),
                "caSecretRef.key in",
            )
            for key in ("..", ".", "..data", "ca.crt\n", "a/../../x")
        ),
        (build_sweep({"recipeRef": {"name": "a..b"}}), "spec.recipeRef.name in body should match"),
        (build_sweep(RECIPE | {"paralelism": 2}), 'unknown field "spec.paralelism"'),
        (
            build_sweep(RECIPE | {"podTemplate": {"spec": {"tolerations": {}}}}),
            'spec.podTemplate.spec.tolerations in body must be of type array: "object"',
        ),
        (
            build_sweep(RECIPE | {"podTemplate": {"spec": {"containers": [{"name": "other"}]}}}),
            'spec.podTemplate.spec.containers[0].name: Unsupported value: "other": supported values: "render"',
        ),
    ],
)
def test_the_api_server_rejects_invalid_sweeps(server: ApiServer, document: dict[str, Any], says: str) -> None:
    answer = server.call("create", "--filename=-", "--dry-run=server", stdin=json.dumps(document))
    assert answer.returncode != 0
    assert says in answer.stderr


DATASET: dict[str, Any] = {
    "version": "1",
    "sources": [{"sweepRef": {"name": "spheres"}}],
    "exports": [{"format": "coco"}],
}


def build_dataset(name: str = "d", **changes: Any) -> dict[str, Any]:
    return build_sweep(DATASET | changes, name) | {"kind": "SynthDataset"}


def build_exports(**options: Any) -> list[dict[str, Any]]:
    return [{"format": "coco", **options}]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (build_dataset("x" * 41), "the name of a dataset is a DNS label of at most 40 characters"),
        (build_dataset(version="../1"), "spec.version: Invalid value: must be the name of a version, such as 3 or"),
        (build_dataset(version="dataset.json"), "spec.version: Invalid value: must be the name of a version"),
        (build_dataset(sources=[]), "spec.sources in body should have at least 1 items"),
        (build_dataset(sources=DATASET["sources"] * 2), "spec.sources: Invalid value: a sweep is there twice"),
        (
            build_dataset(split={"train": 0.8, "val": 0.1}),
            "spec.split: Invalid value: the shares do not sum to 1; write shares that do",
        ),
        (
            build_dataset(split={"train": 1, "val": 0}),
            "spec.split: Invalid value: the shares do not sum to 1; write shares that do",
        ),
        (build_dataset(exports=build_exports() * 2), "spec.exports: Invalid value: a format is there twice"),
        (build_dataset(exports=[{"format": "voc"}]), 'spec.exports[0].format: Unsupported value: "voc"'),
        (
            build_dataset(exports=build_exports(boxes=True)),
            "spec.exports[0].boxes: Invalid value: boxes changes only yolo",
        ),
        (
            build_dataset(exports=build_exports(layout="stardist")),
            "layout changes only pairs; take it out of exports of",
        ),
        (build_dataset(exports=build_exports(shardSize="1Mi")), "shardSize changes only webdataset and huggingface"),
        (
            build_dataset(exports=[{"format": "webdataset", "shardSize": "1K"}]),
            "spec.exports[0].shardSize: Invalid value: must be a size in Mi or Gi, such as 256Mi or 1Gi",
        ),
        (build_dataset(exports=[{"format": "yolo", "below": "ignore"}]), "yolo and pairs know no particles to ignore"),
        (
            build_dataset(exports=[{"format": "pairs", "amodal": True}]),
            "a pixel of pairs has one particle; take amodal",
        ),
        (build_dataset(exports=build_exports(classes="one", classMap={"a": "b"})), "classes and classMap exclude each"),
        (build_dataset(exports=build_exports(**{"with": ["depht"]})), 'Unsupported value: "depht"'),
    ],
)
def test_the_api_server_rejects_invalid_datasets(server: ApiServer, document: dict[str, Any], says: str) -> None:
    answer = server.call("create", "--filename=-", "--dry-run=server", stdin=json.dumps(document))
    assert answer.returncode != 0
    assert says in answer.stderr


def test_a_published_version_changes_with_another_version_only(server: ApiServer) -> None:
    server.apply(build_dataset("published", output=OUTPUT))
    changed = json.dumps(build_dataset("published", output=OUTPUT, split={"train": 0.7, "val": 0.3}))
    assert server.call("apply", "--server-side", "--filename=-", "--dry-run=server", stdin=changed).returncode == 0
    status = DatasetStatus(phase=DatasetPhase.PUBLISHED, version="1", runs=2, root="ab" * 32, formats="coco")
    patch = f'{{"status":{status.model_dump_json(exclude_none=True)}}}'
    server.kubectl("patch", "sd", "published", "--subresource=status", "--type=merge", f"--patch={patch}")

    answer = server.call("apply", "--server-side", "--filename=-", stdin=changed)
    assert "spec.version: Invalid value: a published version stays as it is" in answer.stderr
    moved = json.dumps(build_dataset("published", output=OUTPUT | {"bucket": "other"}, version="2"))
    answer = server.call("apply", "--server-side", "--filename=-", stdin=moved)
    assert "spec.output: Invalid value: output cannot change, versions would be left behind" in answer.stderr
    server.apply(build_dataset("published", output=OUTPUT, parallelism=9))
    server.apply(build_dataset("published", output=OUTPUT, version="2", split={"train": 0.7, "val": 0.3}))
    back = json.loads(server.kubectl("get", "sd", "published", "--output=json"))
    assert DatasetStatus.model_validate(back["status"]) == status


def test_the_example_of_a_dataset_is_accepted(server: ApiServer) -> None:
    server.kubectl("apply", f"--filename={ROOT}/examples/kubernetes-sweep/dataset.yaml", "--dry-run=server")


def test_a_short_sweep_gets_defaults(server: ApiServer) -> None:
    spec = create_dry_run(server, build_sweep(RECIPE))["spec"]
    assert spec == RECIPE | {
        "parallelism": 1,
        "packaging": "files",
        "suspend": False,
        "maxFailedRuns": 0,
        "retriesPerRun": 2,
        "deletionPolicy": "Retain",
    }
    assert SweepSpec.model_validate(spec) == SweepSpec.model_validate(RECIPE)


def test_values_and_recipes_are_stored_unchanged(server: ApiServer) -> None:
    values = [None, True, "1e5", 1.5, -3, {"a": [1, None]}, [[], ["x"]]]
    recipe = {"defaults": ["BaseRecipe"], "blueprints": {"particles": {"a": None, "b": {}}}}
    spec = {"recipe": recipe, "fragments": {"more": recipe}, "axes": [{"path": "a", "values": values}]}
    spec["exclude"] = [{"a": True}]
    written = create_dry_run(server, build_sweep(spec))["spec"]
    assert {key: written[key] for key in spec} == spec


def test_a_full_spec_is_accepted_as_the_models_write_it(server: ApiServer) -> None:
    spec = SweepSpec.model_validate(
        build_axes_spec({"zip": [{"path": "a", "values": [1, 2]}, {"path": "b", "range": {"stop": 0.2, "step": 0.1}}]})
        | {
            "maxFailedRuns": "5%",
            "gpu": {"count": 2, "tolerations": [{"key": "gpu", "operator": "Exists"}]},
            "resources": {"limits": {"cpu": 2, "memory": "4Gi"}},
            "podTemplate": ALLOWED,
            "output": OUTPUT | {"secretRef": {"name": "store"}, "caSecretRef": {"name": "store"}},
        }
    )
    document = build_sweep(json.loads(spec.model_dump_json(exclude_none=True, exclude_defaults=True)))
    assert SweepSpec.model_validate(create_dry_run(server, document)["spec"]) == spec


def test_a_pod_template_that_needs_trust_is_stored_unchanged(server: ApiServer) -> None:
    """Nothing is dropped on the way to the operator, whose message says what it does not allow."""
    given = {name: spec for name, (spec, _) in ATTEMPTS.items() if "podTemplate" in spec}
    documents = "\n---\n".join(json.dumps(build_sweep(RECIPE | spec, name)) for name, spec in given.items())
    answer = server.kubectl("create", "--filename=-", "--output=json", "--dry-run=server", stdin=documents)
    answers = json.loads("[" + answer.replace("}\n{", "},{") + "]")
    stored = {each["metadata"]["name"]: each["spec"]["podTemplate"] for each in answers}
    assert stored == {name: spec["podTemplate"] for name, spec in given.items()}


def test_the_schema_and_the_models_agree_on_outputs(server: ApiServer) -> None:
    """One list of sweeps, each with one value: kubectl reports the server's answer for each."""
    for field, values in RIGHT.items():
        given = [
            build_sweep(RECIPE | {"output": OUTPUT | {field: value}}, f"right-{at}") for at, value in enumerate(values)
        ]
        server.kubectl("create", "--filename=-", "--dry-run=server", stdin="\n---\n".join(map(json.dumps, given)))
    for field, values in WRONG.items():
        given = [
            build_sweep(RECIPE | {"output": OUTPUT | {field: value}}, f"wrong-{at}") for at, value in enumerate(values)
        ]
        answer = server.call("create", "--filename=-", "--dry-run=server", stdin="\n---\n".join(map(json.dumps, given)))
        for at, value in enumerate(values):
            assert re.search(rf'"wrong-{at}" is invalid: \[?spec\.output\.{field}', answer.stderr), (field, value)


@pytest.mark.parametrize("later", [{}, {"output": OUTPUT | {"bucket": "other"}}, {"output": OUTPUT | {"region": "b"}}])
def test_the_output_is_immutable(server: ApiServer, later: dict[str, Any]) -> None:
    server.apply(build_sweep(RECIPE | {"output": OUTPUT}, "placed"))
    changed = json.dumps(build_sweep(RECIPE | later, "placed"))
    answer = server.call("apply", "--server-side", "--filename=-", stdin=changed)
    assert "spec.output: Invalid value: output cannot change, runs would be left behind" in answer.stderr
    server.apply(build_sweep(RECIPE | {"output": OUTPUT, "parallelism": 3}, "placed"))


def test_kubectl_prints_columns_and_selects_by_field(server: ApiServer) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    ready = Condition(
        type=ConditionType.READY,
        status="False",
        reason=Reason.RENDERING,
        message="Rendering.",
        last_transition_time=now,
    )
    status = SweepStatus(
        phase=Phase.RENDERING,
        runs=RunCounts(total=180, cached=60, succeeded=40, failed=1, active=4),
        eta=now,
        conditions=(ready,),
        failures=(RunFailure(run=3, overrides={"a.b": [1, None]}, reason="WorkerDied"),),
        attempt=AttemptStatus(hash="a" * 64),
    )
    server.apply(build_sweep(RECIPE, "shown"))
    patch = f'{{"status":{status.model_dump_json(exclude_none=True)}}}'
    server.kubectl("patch", "ss", "shown", "--subresource=status", "--type=merge", f"--patch={patch}")
    head, row = server.kubectl("get", "synthsweeps", "shown").splitlines()
    assert head.split() == ["NAME", "PHASE", "DONE", "TOTAL", "CACHED", "FAILED", "ETA", "AGE"]
    assert row.split()[:-1] == ["shown", "Rendering", "100", "180", "60", "1", "2026-01-02T03:04:05Z"]
    assert "Rendering." in server.kubectl("get", "ss", "shown", "--output=wide")
    assert "shown" in server.kubectl("get", "synth")
    selected = server.kubectl(
        "get", "ss", "--field-selector=status.phase=Rendering,spec.suspend=false", "--output=name"
    )
    assert selected.split() == ["synthsweep.synth-operator.io/shown"]
    back = json.loads(server.kubectl("get", "ss", "shown", "--output=json"))["status"]
    assert SweepStatus.model_validate(back) == status
    assert back == json.loads(status.model_dump_json(exclude_none=True)), (
        "the schema has every field that the models write"
    )


def test_kubectl_explains(server: ApiServer) -> None:
    explained = " ".join(server.kubectl("explain", "synthsweep.spec.axes").split())
    assert "Axes whose product is the sweep, the last one fastest" in explained
    assert "path <string> Dotted path of the key in the recipe" in explained


def test_the_shipped_resources_are_accepted(server: ApiServer) -> None:
    server.kubectl("apply", f"--filename={ROOT}/recipes/kubernetes", "--dry-run=server")


AWKWARD = ["1e5", "0x1f", "0o17", "010", "1_000", "yes", "y", "on", "null", "~", "2026-01-01", "1:30", ".5", "=", "<<"]


def test_kubectl_and_synth_read_yaml_alike(server: ApiServer) -> None:
    tree = {
        "text": [*AWKWARD, "a: b", "#c", "x\ny", " z "],
        **{word: word for word in AWKWARD},
        "numbers": [1e-7, 1e22],
    }
    recipe = build_sweep({"recipe": tree}, "awkward") | {"kind": "SynthRecipe"}
    answer = server.kubectl("create", "--filename=-", "--output=json", "--dry-run=server", stdin=dump_yaml(recipe))
    assert json.loads(answer)["spec"]["recipe"] == tree
