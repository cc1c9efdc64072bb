"""An existing cluster: `make test KUBECONFIG=…` (docs/testing.md)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from harness.client import Client


def _skip_test() -> NoReturn:
    pytest.skip("needs a cluster that it may break and inspect")


def _read_variable(variable: str) -> str:
    if variable not in os.environ:
        pytest.exit(f"{variable} is not set, but an existing cluster needs it: docs/testing.md", 2)
    return os.environ[variable]


@dataclass(frozen=True)
class ExistingCluster(Client):
    """Cluster that the environment names; a test that breaks components or inspects the node skips itself."""

    kubeconfig_file: Path
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the environment."""
        return self.kubeconfig_file

    @property
    def scratch_folder(self) -> Path:
        """Temporary folder of the tests."""
        return self.folder

    @property
    def store_endpoint(self) -> str:
        """SYNTH_TEST_STORE: a MinIO that pods and tests reach, with the keys of `servers.py`."""
        return _read_variable("SYNTH_TEST_STORE")

    @property
    def images(self) -> tuple[str, str]:
        """SYNTH_TEST_OPERATOR and SYNTH_TEST_RENDERER: images that the nodes can pull."""
        return _read_variable("SYNTH_TEST_OPERATOR"), _read_variable("SYNTH_TEST_RENDERER")

    @property
    def sandbox(self) -> NoReturn:
        """Skip the test: there is no sandbox."""
        _skip_test()

    def start_component(self, name: str) -> NoReturn:
        """Skip the test."""
        _skip_test()

    def kill_component(self, name: str) -> NoReturn:
        """Skip the test."""
        _skip_test()


def find_existing_kubeconfig() -> Path | None:
    """Return the kubeconfig that SYNTH_TEST_KUBECONFIG names, None when it is not set."""
    file = os.environ.get("SYNTH_TEST_KUBECONFIG")
    return Path(file) if file else None
