"""A cluster that is there already: `make test KUBECONFIG=…` (docs/testing.md)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest

from harness.client import Client


def _own() -> NoReturn:
    pytest.skip("needs a cluster of its own, which it may hurt and look into")


@dataclass(frozen=True)
class ExistingCluster(Client):
    """Named by the environment. Tests that hurt a cluster, or look into its node, skip as soon as they try."""

    file: Path
    folder: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)

    @property
    def kubeconfig(self) -> Path:
        """As given."""
        return self.file

    @property
    def scratch(self) -> Path:
        """Gone with this object."""
        return Path(self.folder.name)

    @property
    def store(self) -> str:
        """A MinIO that pods and tests reach alike and that knows the keys of `servers.py`."""
        return os.environ["SYNTH_TEST_STORE"]

    @property
    def images(self) -> tuple[str, str]:
        """Both images, where its nodes find them."""
        return os.environ["SYNTH_TEST_OPERATOR"], os.environ["SYNTH_TEST_RENDERER"]

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


def existing_cluster() -> ExistingCluster | None:
    """The one that the environment names."""
    file = os.environ.get("SYNTH_TEST_KUBECONFIG")
    return ExistingCluster(Path(file)) if file else None
