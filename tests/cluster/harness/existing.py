"""A cluster that is there already: `make test KUBECONFIG=…` (docs/testing.md)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from harness.client import Client


def _own() -> NoReturn:
    pytest.skip("needs a cluster of its own, which it may hurt and look into")


def _named(variable: str) -> str:
    if variable not in os.environ:
        pytest.exit(f"{variable} is not set, and a cluster that is there already needs it: docs/testing.md", 2)
    return os.environ[variable]


@dataclass(frozen=True)
class ExistingCluster(Client):
    """Named by the environment. Tests that hurt a cluster, or look into its node, skip as soon as they try."""

    file: Path
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """As given."""
        return self.file

    @property
    def scratch(self) -> Path:
        """As given."""
        return self.folder

    @property
    def store(self) -> str:
        """A MinIO that pods and tests reach alike and that knows the keys of `servers.py`."""
        return _named("SYNTH_TEST_STORE")

    @property
    def images(self) -> tuple[str, str]:
        """Both images, where its nodes find them."""
        return _named("SYNTH_TEST_OPERATOR"), _named("SYNTH_TEST_RENDERER")

    @property
    def sandbox(self) -> NoReturn:
        """None."""
        _own()

    def start(self, name: str) -> NoReturn:
        """Not here."""
        _own()

    def kill(self, name: str) -> NoReturn:
        """Not here."""
        _own()


def existing_kubeconfig() -> Path | None:
    """Of the cluster that the environment names, if it names one."""
    file = os.environ.get("SYNTH_TEST_KUBECONFIG")
    return Path(file) if file else None
