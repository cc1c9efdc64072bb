"""The chart with the validating webhook on a real API server, and the webhook as a process of this machine."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from api_server import ADMIN, ApiServer, api_server
from servers import ROOT, free_ports, program
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHART: Final = str(ROOT / "charts/synth-operator")
OWN: Final = "synth"
LAB: Final = "lab"
NAME: Final = "synth-operator-webhook"
CLUSTER_NAME: Final = f"{NAME}.{OWN}"
RECIPE_FILE: Final = ROOT / "recipes/spheres_sem.yaml"
WRONG: Final = "blueprints.particles.Bead.numbr=3"
DRY_RUN: Final = "--dry-run=server"


@dataclass(frozen=True)
class Release:
    """The chart on an API server without controllers; the API server asks a process on this machine."""

    server: ApiServer
    folder: Path
    port: int

    def helm(self, version: str, *arguments: str) -> None:
        homes = {f"HELM_{each}_HOME": str(self.folder / "helm") for each in ("CACHE", "CONFIG", "DATA")}
        environment = {**os.environ, **homes, "KUBECONFIG": str(self.server.kubeconfig)}
        command = [str(program(version, "clients")), *arguments, f"--namespace={OWN}"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
        assert done.returncode == 0, done.stderr

    def read_client(self) -> dict[str, Any]:
        """Return the `clientConfig` of the registration."""
        text = self.server.kubectl("get", "validatingwebhookconfiguration", CLUSTER_NAME, "-o", "json")
        client: dict[str, Any] = json.loads(text)["webhooks"][0]["clientConfig"]
        return client

    def edit_registration(self, fields: dict[str, Any]) -> None:
        """Replace fields of the registered webhook."""
        patch = [{"op": "replace", "path": f"/webhooks/0/{key}", "value": value} for key, value in fields.items()]
        self.server.kubectl(
            *("patch", "validatingwebhookconfiguration", CLUSTER_NAME, "--type=json", f"--patch={json.dumps(patch)}")
        )

    def apply(self, document: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
        return self.server.call("-n", LAB, "apply", "-f", "-", *options, stdin=json.dumps(document))


@contextmanager
def install_release(folder: Path) -> Iterator[Release]:
    """Install the chart on a new API server; the namespace `lab` has the recipe `spheres`."""
    (port,) = free_ports(1)
    with api_server(folder) as server:
        found = Release(server, folder, port)
        for name in (OWN, LAB):
            server.kubectl("create", "namespace", name)
        found.helm("helm", "install", "synth", CHART, "--set=admissionWebhook.enabled=true")
        server.kubectl("wait", "--for=condition=Established", "crd", "--all")
        found.edit_registration({"clientConfig": {"url": f"https://localhost:{port}/review"}})
        recipe = yaml.safe_load(RECIPE_FILE.read_text())
        server.kubectl("-n", LAB, "create", "-f", "-", stdin=json.dumps(build("SynthRecipe", "spheres", recipe=recipe)))
        yield found


@dataclass
class Webhook:
    """The webhook as a process of this machine, with its service account."""

    release: Release
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until the API server trusts its certificate and asks it."""
        folder, log = self.release.folder, self.release.folder / "webhook.log"
        options = (f"--config={self._write_configuration()}", f"--name={CLUSTER_NAME}", "--host=localhost")
        kubeconfig = folder / "webhook.kubeconfig"
        token = self.release.server.kubectl("-n", OWN, "create", "token", NAME).strip()
        kubeconfig.write_text(self.release.server.kubeconfig.read_text().replace(ADMIN, token))
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "synth_operator.webhook", *options, f"--port={self.release.port}"],
                env={**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONWARNINGS": "ignore"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        probe = build_sweep("probe", overrides=[WRONG])
        wait_until(lambda: is_ready(self.release.port), lambda: log.read_text()[-3000:])
        wait_until(lambda: self.release.apply(probe, DRY_RUN).returncode == 1, lambda: log.read_text()[-3000:])

    def stop(self) -> None:
        """Stop it as the kubelet does, unless it is stopped."""
        process, self.process = self.process, None
        if process:
            process.terminate()
            assert process.wait() == 0, (self.release.folder / "webhook.log").read_text()[-3000:]

    def _write_configuration(self) -> Path:
        path = self.release.folder / "configuration.yaml"
        text = self.release.server.kubectl("-n", OWN, "get", "configmap", "synth-operator", "-o", "json")
        path.write_text(json.loads(text)["data"]["configuration.yaml"])
        return path


@contextmanager
def run_webhook(release: Release) -> Iterator[Webhook]:
    """Run the webhook of a release."""
    webhook = Webhook(release)
    try:
        webhook.start()
        yield webhook
    finally:
        webhook.stop()


def build(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": LAB}
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def build_sweep(name: str, **more: Any) -> dict[str, Any]:
    output = {"endpoint": "store:9000", "bucket": "data"}
    return build("SynthSweep", name, **{"recipeRef": {"name": "spheres"}, "output": output, **more})


def is_ready(port: int) -> bool:
    trusting = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(f"https://localhost:{port}/readyz", context=trusting, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
