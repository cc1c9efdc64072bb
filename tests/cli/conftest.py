from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ENGINES = Path(__file__).parents[1] / "renderer" / "runtime"
RECIPE = """
defaults: [BaseRecipe, _self_]
initial_runtime_state: {seed: 0}
blueprints:
  measurement_techniques:
    SEM: {measurement_technique_prototype_name: secondary_electron_microscope}
synth_chain:
  feature_generation_steps:
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllMeasurementTechniqueBlueprints}
  rendering_steps: []
"""


@dataclass
class Command:
    """`synth` in a process of its own, with an engine that does what `order` says at a seed."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "dataset"

    @property
    def recipe(self) -> Path:
        return self.folder / "tiny.yaml"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ENGINES), "TRIAL": str(self.folder / "orders")}

    def order(self, seed: int, what: str) -> None:
        (self.folder / "orders" / str(seed)).write_text(what)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", "from synth_cli.main import main; main()", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        process = self.start(*arguments)
        out, error = process.communicate()
        return process.returncode, out, error

    def render_arguments(self, seeds: int, *more: str) -> tuple[str, ...]:
        sweep = ("render", "tiny.yaml", f"initial_runtime_state.seed=range({seeds})")
        return (*sweep, "--out=dataset", "--engine=trial_engine:render", *more)

    def render(self, seeds: int, *more: str) -> tuple[int, str, str]:
        return self.run(*self.render_arguments(seeds, *more))

    def dataset(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.store / "sweeps/local/tiny/dataset.json").read_text())
        return document

    def count_renders(self, seed: int) -> int:
        """Return how often an engine started this seed."""
        log = self.folder / "orders" / f"{seed}.log"
        return len(log.read_text().split()) if log.exists() else 0

    def scratch(self) -> list[Path]:
        """Files of unfinished runs."""
        return list(self.store.glob("scratch/*/*.*"))


@pytest.fixture
def synth(tmp_path: Path) -> Command:
    (tmp_path / "orders").mkdir()
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    return Command(tmp_path)
