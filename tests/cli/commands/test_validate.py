"""`synth validate`: a summary, and the verdict last."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from synth_cli.main import run

RECIPE: Final = str(Path(__file__).parents[3] / "recipes" / "spheres_sem.yaml")


def read_lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["validate", RECIPE, *arguments]) == 0
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_the_verdict_comes_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_lines(capsys) == [
        "seed        42",
        "technique   SEM: secondary_electron_microscope",
        "particles   Bead: 600 x sphere, sem_polystyrene",
        "",
        f"{RECIPE} is valid",
    ]


def test_of_a_sweep_run_0_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_lines(capsys, "initial_runtime_state.seed=range(4)")[-2:] == [
        "this is run 0 of 4 runs; synth plan shows the axes",
        f"{RECIPE} is valid",
    ]


def test_steps_and_outputs_are_shown_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    lines = read_lines(capsys, "--verbose")

    assert lines[3] == "steps        0  InvokeBlueprints               AllMeasurementTechniqueBlueprints"
    assert lines[8] == "             5  RelaxCollisions                AllParticles"
    assert lines[14] == "outputs      0  SaveState                      state"
    assert lines[-1] == f"{RECIPE} is valid"
