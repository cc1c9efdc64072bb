"""Fixtures: the chart rendered by Helm 4 and Helm 3."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import program

from synth_operator.configuration import Configuration

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/synth-operator"
Tree = dict[str, Any]


class RefusedError(Exception):
    """Helm refused the values; the message is its error output."""


class Objects(list[Tree]):
    """Objects of a release."""

    def of(self, kind: str) -> list[Tree]:
        return [each for each in self if each["kind"] == kind]

    def only(self, kind: str) -> Tree:
        (found,) = self.of(kind)
        return found

    @property
    def configuration(self) -> Configuration:
        (found,) = (each for each in self.of("ConfigMap") if "configuration.yaml" in each.get("data", {}))
        return Configuration.from_tree(yaml.safe_load(found["data"]["configuration.yaml"]))

    @property
    def pod(self) -> Tree:
        pod: Tree = self.only("Deployment")["spec"]["template"]
        return pod


@dataclass(frozen=True)
class Helm:
    program: Path
    home: Path

    def run(self, *arguments: str, values: Tree | None = None) -> str:
        environment = {f"HELM_{each}_HOME": str(self.home) for each in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            [self.program, *arguments, *(["--values", "-"] if values else [])],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise RefusedError(done.stderr)
        return done.stdout

    def render(self, values: Tree | None = None) -> Objects:
        """Return the objects of a release; those of `helm test` are none."""
        options = ("--namespace", "machinery", "--kube-version", "1.35.4", "--skip-tests")
        text = self.run("template", "synth", str(CHART), *options, values=values)
        return Objects(each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each)


@pytest.fixture(scope="session", params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(program(request.param, "clients"), tmp_path_factory.mktemp("home"))
