"""Access to a cluster, wherever it runs."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from harness.commands import run_command
from harness.slot import find_program

if TYPE_CHECKING:
    from pathlib import Path


class Client(ABC):
    """kubectl and Helm with the rights of an administrator."""

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""

    @property
    @abstractmethod
    def scratch_folder(self) -> Path:
        """Folder for the caches of kubectl and Helm; the tests remove it."""

    @property
    @abstractmethod
    def store_endpoint(self) -> str:
        """Host and port of a MinIO that pods and tests reach."""

    @property
    @abstractmethod
    def images(self) -> tuple[str, str]:
        """Names of the operator's and the renderer's image, as the nodes find them."""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output. Raises CommandError."""
        cache = f"--cache-dir={self.scratch_folder}/kubectl"
        return run_command(find_program("kubectl"), f"--kubeconfig={self.kubeconfig}", cache, *arguments, stdin=stdin)

    def helm(self, *arguments: str) -> str:
        """Run helm with its caches in the scratch folder and return its output. Raises CommandError."""
        homes = {f"HELM_{kind}_HOME": f"{self.scratch_folder}/helm" for kind in ("CACHE", "CONFIG", "DATA")}
        return run_command(
            find_program("helm"), f"--kubeconfig={self.kubeconfig}", *arguments, environment={**os.environ, **homes}
        )

    def apply(self, *documents: dict[str, Any], namespace: str = "default") -> None:
        """Apply objects server-side, as GitOps tools do."""
        text = "\n---\n".join(json.dumps(document) for document in documents)
        self.kubectl("-n", namespace, "apply", "--server-side", "--filename=-", stdin=text)

    def get_object(self, kind: str, name: str = "", namespace: str = "default", selector: str = "") -> dict[str, Any]:
        """Return an object or, without a name, a list. Raises CommandError."""
        arguments = [part for part in (kind, name, f"--selector={selector}" if selector else "") if part]
        tree: dict[str, Any] = json.loads(self.kubectl("-n", namespace, "get", *arguments, "--output=json"))
        return tree
