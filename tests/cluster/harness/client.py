"""What tests ask of a cluster, wherever it runs."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from harness.commands import run
from harness.place import program

if TYPE_CHECKING:
    from pathlib import Path


class Client(ABC):
    """kubectl and Helm with an administrator's rights."""

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """Of the administrator."""

    @property
    @abstractmethod
    def scratch(self) -> Path:
        """A folder that is gone with the tests, for what kubectl and Helm keep."""

    @property
    @abstractmethod
    def store(self) -> str:
        """Host and port of a MinIO that pods and tests reach alike."""

    @property
    @abstractmethod
    def images(self) -> tuple[str, str]:
        """The operator's and the renderer's, where the nodes find them."""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints. Raises CommandError with what it said."""
        cache = f"--cache-dir={self.scratch}/kubectl"
        return run(program("kubectl"), f"--kubeconfig={self.kubeconfig}", cache, *arguments, stdin=stdin)

    def helm(self, *arguments: str) -> str:
        """What helm prints; nothing of it is kept on the machine."""
        homes = {f"HELM_{kind}_HOME": f"{self.scratch}/helm" for kind in ("CACHE", "CONFIG", "DATA")}
        return run(program("helm"), f"--kubeconfig={self.kubeconfig}", *arguments, environment={**os.environ, **homes})

    def apply(self, *documents: dict[str, Any], namespace: str = "default") -> None:
        """Server-side, as GitOps does."""
        text = "\n---\n".join(json.dumps(document) for document in documents)
        self.kubectl("-n", namespace, "apply", "--server-side", "--filename=-", stdin=text)

    def get(self, kind: str, name: str = "", namespace: str = "default", selector: str = "") -> dict[str, Any]:
        """An object or, without a name, a list."""
        words = [word for word in (kind, name, f"--selector={selector}" if selector else "") if word]
        tree: dict[str, Any] = json.loads(self.kubectl("-n", namespace, "get", *words, "--output=json"))
        return tree
