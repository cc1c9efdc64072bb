"""tools/images with a program that writes down what it is asked to build."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """#!/bin/sh
case $1 in
  inspect) exit 1 ;;
  build) printf '%s\\n' "$*" >>"$LOG" ;;
esac
"""


@pytest.fixture
def build_images(tmp_path: Path):
    """Run tools/images and return the arguments of its builds by image."""
    program, log = tmp_path / "bin" / "docker", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_ARCHITECTURES"}
    environment |= {"BUILDER": "docker", "LOG": str(log), "PATH": f"{program.parent}:{os.environ['PATH']}"}

    def build(**variables: str) -> dict[str, str]:
        log.unlink(missing_ok=True)
        subprocess.run([ROOT / "tools" / "images", "trial"], env={**environment, **variables}, check=True)
        lines = log.read_text().splitlines()
        return {part: line for line in lines for part in ("operator", "renderer") if f"/synth-{part}:trial" in line}

    return build


def read_digest(arguments: str) -> str:
    match = re.search(r"inputs=(\w+)", arguments)
    assert match
    return match[1]


def test_architectures_are_those_of_the_dockerfile_or_of_the_environment(build_images) -> None:
    assert 'ARG CUDA_ARCHITECTURES="sm_80 sm_90 sm_100"' in (ROOT / "Dockerfile.renderer").read_text()
    assert "CUDA_ARCHITECTURES" not in build_images()["renderer"]
    builds = build_images(CUDA_ARCHITECTURES="sm_90")
    assert "--build-arg CUDA_ARCHITECTURES=sm_90 -t" in builds["renderer"]
    assert "CUDA_ARCHITECTURES" not in builds["operator"]
    assert "--build-arg CUDA_ARCHITECTURES= -t" in build_images(CUDA_ARCHITECTURES="")["renderer"]


def test_an_image_with_other_architectures_is_another_image(build_images) -> None:
    builds = [build_images(), build_images(CUDA_ARCHITECTURES=""), build_images(CUDA_ARCHITECTURES="sm_90")]

    assert len({read_digest(build["renderer"]) for build in builds}) == 3
    assert len({read_digest(build["operator"]) for build in builds}) == 1
