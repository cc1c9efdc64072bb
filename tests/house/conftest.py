"""The source of the packages, parsed once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / name / f"synth_{name}" for name in ("api", "dataset", "renderer", "operator", "cli", "reader")]


@pytest.fixture(scope="session")
def modules() -> dict[Path, ast.Module]:
    """Syntax tree of each module, by its path relative to the repository."""
    paths = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
    return {path.relative_to(ROOT): ast.parse(path.read_text()) for path in paths}
