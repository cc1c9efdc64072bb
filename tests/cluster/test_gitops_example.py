"""The example repository for GitOps: `kubectl kustomize` builds it, and a real API server takes what it builds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from api_server import ApiServer, api_server
from servers import program

from synth_api.composition.source import read_recipe_objects
from synth_api.resources.synth_sweep import SweepSpec
from synth_api.sweep.definition import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "examples" / "gitops"
RUNS: Final = {"sparse": 120, "dense": 80, "mixture": 80}
_BLOCKS: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all")
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "gitops"))


def build(folder: Path) -> list[dict[str, Any]]:
    """Return the objects that `kubectl kustomize` builds of a folder."""
    command = [program("kubectl", "clients"), "kustomize", folder]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(text))


def build_sweep(folder: Path) -> Sweep:
    """Return the sweep of an overlay, with the recipe that it names."""
    recipe, sweep = build(folder)
    spec = SweepSpec.model_validate(sweep["spec"])
    assert spec.recipe_ref
    assert spec.recipe_ref.name == recipe["metadata"]["name"] == sweep["metadata"]["name"]
    source = read_recipe_objects(recipe["metadata"]["name"], recipe["spec"]["recipe"], {})
    return Sweep.from_source(source, spec.overrides, spec.axes, spec.exclude)


def find_blocks(kind: str) -> list[str]:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    return [block for language, block in _BLOCKS.findall(text) if language == kind]


@pytest.mark.parametrize("dataset", RUNS)
def test_each_overlay_is_a_valid_sweep_that_the_api_server_takes(dataset: str, server: ApiServer) -> None:
    folder = EXAMPLE / "datasets" / dataset

    assert build_sweep(folder).count == RUNS[dataset]
    server.kubectl("apply", "--dry-run=server", "--validate=strict", f"--kustomize={folder}")


def test_only_the_patched_dataset_has_cubes() -> None:
    kinds = {name: tuple(each.name for each in build_sweep(EXAMPLE / "datasets" / name).categories) for name in RUNS}

    assert kinds == {"sparse": ("Bead",), "dense": ("Bead",), "mixture": ("Bead", "Cube")}


def test_references_follow_their_objects(repository: Path) -> None:
    overlay = repository / "datasets" / "sparse" / "kustomization.yaml"
    generator = "secretGenerator:\n  - name: dataset-store\n    literals: [AWS_ACCESS_KEY_ID=me]\n"
    overlay.write_text(overlay.read_text(encoding="utf-8") + generator, encoding="utf-8")

    by_kind = {each["kind"]: each for each in build(overlay.parent)}

    secret = by_kind["Secret"]["metadata"]["name"]
    assert secret.startswith("dataset-store-sparse-")
    assert by_kind["SynthSweep"]["spec"]["output"]["secretRef"]["name"] == secret


def test_the_commands_of_the_readme_build_all_datasets(repository: Path) -> None:
    (commands,) = find_blocks("sh")
    folder = program("kubectl", "clients").parent
    subprocess.run(["bash", "-euc", commands], cwd=repository, env={"PATH": f"{folder}:/usr/bin:/bin"}, check=True)

    assert {file.stem for file in repository.glob("*.yaml")} == set(RUNS)


def test_the_pull_request_of_the_readme_adds_60_runs_and_keeps_120(repository: Path) -> None:
    folder = repository / "datasets" / "sparse"
    before = set(build_sweep(folder).keys())
    (change,) = find_blocks("diff")
    subprocess.run(["git", "apply", "-"], cwd=repository, input=change, check=True, text=True)

    after = set(build_sweep(folder).keys())

    assert (len(before), len(after), before < after) == (120, 180, True)


def test_argo_cds_config_map_has_the_check_for_all_kinds() -> None:
    (config,) = build(EXAMPLE / "argocd")

    check = (EXAMPLE / "argocd" / "health.lua").read_text(encoding="utf-8")
    assert config["metadata"]["name"] == "argocd-cm"
    prefix = "resource.customizations.health.synth-operator.io_"
    assert config["data"] == {f"{prefix}{kind}": check for kind in ("SynthSweep", "SynthRecipe", "SynthDataset")}
