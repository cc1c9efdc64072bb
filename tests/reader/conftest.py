"""Stores for the tests: those of SYNTH_READER_STORES, which tests of a wheel need, else new ones."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the stores that stores.py writes."""
    if given := os.environ.get("SYNTH_READER_STORES"):
        return Path(given)
    spec = importlib.util.spec_from_file_location("stores", Path(__file__).with_name("stores.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("stores")
    module.write_stores(folder)
    return folder


@pytest.fixture(scope="session")
def truth(stores: Path) -> list[dict[str, Any]]:
    """What is in each run of the store `one`."""
    return json.loads((stores / "truth.json").read_text())
