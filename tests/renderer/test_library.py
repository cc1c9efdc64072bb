"""`from synth_renderer import render`: a Python program renders one run into a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synth_api.errors import InputError
from synth_api.sweep.definition import Sweep
from synth_renderer import render

RECIPE = Path(__file__).parents[2] / "recipes/spheres_sem.yaml"
SMALL = [
    "blueprints.particles.Bead.number=3",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10",
    "synth_chain.rendering_steps=[{_target_:$builtins.RenderParticlesTogether,rendering_mode:categorical}]",
]
FILES = {"annotations.json", "categorical.png", "instances.png", "particles.parquet", "thumb.webp"}


def test_a_recipe_file_and_a_composed_recipe_give_the_same_run(tmp_path: Path) -> None:
    run = render(str(RECIPE), tmp_path / "new" / "run", SMALL, device="cpu")
    assert {path.name for path in (tmp_path / "new" / "run").iterdir()} == FILES
    assert (run.particles, run.width, run.height, run.device) == (3, 96, 96, "cpu")
    other = render(Sweep.load(RECIPE, SMALL).build_recipe(0), tmp_path / "other", device="cpu")
    assert other.label_digest == run.label_digest


def test_a_script_that_renders_ends(tmp_path: Path) -> None:
    script = f"from synth_renderer import render; print(render({str(RECIPE)!r}, 'run', {SMALL!r}, 'cpu').particles)"
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300
    )
    assert process.stdout.split()[-1] == "3"
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES


def test_importing_the_package_loads_neither_blender_nor_numba() -> None:
    code = "import sys; from synth_renderer import render; sys.exit(bool({'bpy', 'numba', 'numpy'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("overrides", "device", "sentence"),
    [
        ([], "cuda9", "device: 'cuda9' is no device; known are auto, gpu, cpu, optix, cuda, hip, oneapi"),
        (["initial_runtime_state.sed=1"], "cpu", "initial_runtime_state.sed: there is no key 'sed'"),
        (["initial_runtime_state.seed=1,2"], "cpu", "overrides: make a sweep of 2 runs, and this renders one"),
    ],
)
def test_a_bad_argument_is_an_input_error_and_nothing_is_written(
    tmp_path: Path, overrides: list[str], device: str, sentence: str
) -> None:
    with pytest.raises(InputError) as refusal:
        render(RECIPE, tmp_path / "run", overrides, device)
    assert str(refusal.value).startswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_that_does_not_exist_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.yaml"):
        render(tmp_path / "missing.yaml", tmp_path / "run")


def test_a_composed_recipe_takes_no_overrides(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="overrides: a composed recipe takes none"):
        render(Sweep.load(RECIPE, SMALL).build_recipe(0), tmp_path / "run", SMALL)


def test_a_folder_that_is_a_file_or_not_empty_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, sentence in {"": "is not empty", "file": "is not a folder", "file/run": "is not a folder"}.items():
        with pytest.raises(InputError, match=f"{sentence}; name an empty folder or a new one"):
            render(RECIPE, tmp_path / folder, SMALL, "cpu")
