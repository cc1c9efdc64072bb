"""The extra `local` has no Kubernetes client: local commands work without it, cluster commands name the extra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synth_api.exit_codes import ExitCode

RECIPE = str(Path(__file__).parents[2] / "recipes" / "spheres_sem.yaml")
WITHOUT_CLIENT = (
    "import sys; sys.modules.update(kubernetes=None); from synth_cli.main import run; sys.exit(run(sys.argv[1:]))"
)


def synth(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WITHOUT_CLIENT, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [["--help"], ["status", "--help"], ["validate", RECIPE], ["plan", RECIPE]])
def test_local_commands_need_no_kubernetes_client(arguments: list[str]) -> None:
    assert synth(*arguments).returncode == ExitCode.OK


@pytest.mark.parametrize("arguments", [["status", "beads"], ["logs", "beads"], ["gallery", "beads"]])
def test_cluster_commands_name_the_extra_that_is_missing(arguments: list[str]) -> None:
    completed = synth(*arguments)
    assert completed.returncode == ExitCode.BAD_INPUT
    assert completed.stderr == "error: kubernetes: a cluster needs the Kubernetes client: install synth-operator[cli]\n"
