from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def spheres_sem() -> Path:
    return Path(__file__).parents[3] / "recipes" / "spheres_sem.yaml"
