"""The commands of examples/*/README.md, run as they are written, each in a copy of its folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from synth_cli.main import synth

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/README.md"))
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MAX_PICTURE_BYTES = 150_000


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder that holds recipes/ and examples/ as the repository does."""
    for name in ("recipes", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path / "examples"


def run_commands(example: Path) -> str:
    """Run every `sh` block of the example's README; return what the commands print."""
    commands = "".join(COMMANDS.findall((example / "README.md").read_text()))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = ["bash", "-euo", "pipefail", "-c", commands]
    return subprocess.run(
        shell, cwd=example, env={**os.environ, "PATH": path}, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.slow
def test_a_first_dataset_grows_by_the_new_seeds_alone(copied: Path) -> None:
    printed = run_commands(copied / "first-dataset")
    assert "4 runs rendered" in printed
    assert "2 runs rendered" in printed
    assert len(re.findall(r"^run \d: \d+ of (50|200) particles visible", printed, re.MULTILINE)) == 6


@pytest.mark.slow
def test_each_step_of_the_recipe_renders(copied: Path) -> None:
    printed = run_commands(copied / "recipe-from-scratch")
    assert "1_beads.yaml is valid" in printed
    datasets = (copied / "recipe-from-scratch" / "dataset").glob("sweeps/local/*/dataset.json")
    assert sorted(path.parent.name for path in datasets) == ["1_beads", "2_sizes", "3_mixture", "4_microscope"]


@pytest.mark.slow
def test_the_python_example_renders_a_run_in_20_lines(copied: Path) -> None:
    printed = run_commands(copied / "python-api")
    assert re.match(r"\d+ of 120 particles visible, labels [0-9a-f]{12}$", printed.strip())
    assert (copied / "python-api" / "run" / "overlay.png").exists()
    assert len((copied / "python-api" / "render.py").read_text().splitlines()) <= 22


@pytest.mark.parametrize(
    ("example", "recipe"),
    [
        ("kubernetes-sweep", "spheres-sem"),
        pytest.param("agglomerates", "agglomerates-tem", marks=pytest.mark.slow),
    ],
)
def test_the_commands_of_an_example_write_the_shipped_manifests(copied: Path, example: str, recipe: str) -> None:
    printed = run_commands(copied / example)
    assert (
        example != "agglomerates" or len(re.findall(r"^\d+ agglomerates of 5 .*: D = [12]", printed, re.MULTILINE)) == 2
    )
    for shipped in (ROOT / "recipes" / "kubernetes").glob(f"{recipe}*.yaml"):
        written = (copied / example / "manifests" / shipped.name).read_text()
        assert written.split("\n", 1)[1] == shipped.read_text().split("\n", 1)[1], (
            "all but the comment with the command"
        )


def test_every_example_has_a_small_picture_and_a_line_in_the_index() -> None:
    index = (ROOT / "examples" / "README.md").read_text()
    for name in EXAMPLES:
        assert f"({name}/README.md)" in index
        pictures = list((ROOT / "examples" / name).glob("*.webp"))
        assert pictures
        assert all(path.stat().st_size < MAX_PICTURE_BYTES for path in pictures)


def test_the_commands_of_the_training_example_are_valid() -> None:
    readme = (ROOT / "examples" / "training" / "README.md").read_text()
    lines = [shlex.split(line) for block in COMMANDS.findall(readme) for line in block.splitlines()]
    assert {line[1] for line in lines} == {"render", "export"}
    for program, name, *words in lines:
        assert program == "synth"
        command = synth.get_command(click.Context(synth), name)
        assert command
        command.make_context(name, words)


def test_the_scripts_of_the_training_example_are_short_and_named_in_its_readme() -> None:
    folder = ROOT / "examples" / "training"
    scripts = sorted(folder.glob("*.py"))
    assert len(scripts) == 3
    for script in scripts:
        compile(script.read_text(), script.name, "exec")
        assert script.name in (folder / "README.md").read_text()
        assert len(script.read_text().splitlines()) <= 150
