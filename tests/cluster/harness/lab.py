"""A place to try sweeps: the operator installed by its chart, a MinIO on the node, a namespace with its Secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from minio import Minio
from servers import ACCESS_KEY, ROOT, SECRET_KEY

from harness.cluster import until
from harness.commands import CommandError
from harness.place import program
from synth_api.resources.synth_sweep import SweepStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.client import Client
    from harness.cluster import Cluster

SYSTEM: Final = "synth"
"""Namespace of the operator."""
BUCKET: Final = "datasets"
RESTRICTED: Final = "pod-security.kubernetes.io/enforce=restricted"
SMALL: Final = {"cpu": "100m", "memory": "256Mi"}
FINISHED: Final = frozenset({"Complete", "Failed"})


@dataclass
class Store:
    """MinIO on the node's own address, which pods and tests reach alike."""

    cluster: Cluster
    process: int = 0

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self.cluster.store

    @property
    def client(self) -> Minio:
        """For the tests."""
        return Minio(self.endpoint, ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1")

    def start(self) -> None:
        """Returns when it answers."""
        folder = self.cluster.sandbox.place.folder
        keys = (f"MINIO_ROOT_USER={ACCESS_KEY}", f"MINIO_ROOT_PASSWORD={SECRET_KEY}", f"HOME={folder}")
        server = (program("minio"), "server", f"{folder}/minio", f"--address={self.endpoint}")
        self.process = self.cluster.sandbox.start(["env", *keys, *server], self.cluster.sandbox.place.log("minio"))
        until(self._answers, "MinIO did not come up")

    def kill(self) -> None:
        """SIGKILL; its data stay."""
        self.cluster.sandbox.kill(self.process)
        until(lambda: not self._answers(), "MinIO goes on")

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://{self.endpoint}/minio/health/cluster", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def install_operator(cluster: Client, *settings: str) -> None:
    """By the chart and no other way; returns when it is ready."""
    until(lambda: _namespace_exists(cluster, "default"), "no namespaces")
    cluster.helm(
        *("upgrade", "--install", "synth", str(ROOT / "charts" / "synth-operator"), f"--namespace={SYSTEM}"),
        *("--create-namespace", "--wait", "--timeout=120s"),
        *(f"--set={setting}" for setting in (*_image_settings(cluster), *settings)),
    )


def _image_settings(cluster: Client) -> list[str]:
    """Sweeps may name images that begin like the renderer's."""
    names = zip(("image", "renderer.image"), cluster.images, strict=True)
    parts = ((key, *image.rsplit(":", 1)) for key, image in names)
    settings = [setting for key, name, tag in parts for setting in (f"{key}.repository={name}", f"{key}.tag={tag}")]
    return [*settings, f"sweeps.allowedImages={{{cluster.images[1]}}}"]


def _namespace_exists(cluster: Client, name: str) -> bool:
    return any(item["metadata"]["name"] == name for item in cluster.get("namespaces")["items"])


@dataclass(frozen=True)
class Lab:
    """A namespace with a Secret and a prefix of the bucket of its own."""

    cluster: Cluster
    store: Store
    namespace: str

    def open(self) -> None:
        """Make namespace and Secret."""
        self.cluster.kubectl("create", "namespace", self.namespace)
        self.cluster.kubectl("label", "namespace", self.namespace, RESTRICTED)
        self.make_secret()

    def make_secret(self, secret_key: str = SECRET_KEY) -> None:
        """The storage credentials, or wrong ones."""
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": secret_key}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dataset-store"}, "stringData": keys})

    def apply(self, *documents: dict[str, Any]) -> None:
        """Server-side, into the namespace."""
        self.cluster.apply(*documents, namespace=self.namespace)

    @property
    def output(self) -> dict[str, Any]:
        """The namespace's own prefix."""
        return {
            "endpoint": self.store.endpoint,
            "bucket": BUCKET,
            "prefix": self.namespace,
            "insecure": True,
            "secretRef": {"name": "dataset-store"},
        }

    @property
    def thrifty(self) -> dict[str, Any]:
        """What every sweep of a lab has: its place in the store, and pods that ask for little."""
        return {"output": self.output, "resources": {"requests": SMALL}}

    def recipe(self, name: str, tree: dict[str, Any]) -> None:
        """A SynthRecipe."""
        self.apply(_resource("SynthRecipe", name, {"recipe": tree}))

    def sweep(self, name: str, recipe: str, **spec: Any) -> None:
        """A SynthSweep with small pods; keys are those of the spec, camelCase."""
        self.apply(_resource("SynthSweep", name, {"recipeRef": {"name": recipe}, **self.thrifty, **spec}))

    def trial_engine(self, function: str, **environment: str) -> dict[str, Any]:
        """The pod template of a sweep that is to render with a function of `trial_engines.py`."""
        source = (ROOT / "tests" / "cluster" / "trial_engines.py").read_text(encoding="utf-8")
        self.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trial"}, "data": {"trial.py": source}}
        )
        words = {"PYTHONPATH": "/trial", "SYNTH_ENGINE": f"trial:{function}", **environment}
        container = {
            "name": "render",
            "env": [{"name": name, "value": value} for name, value in words.items()],
            "volumeMounts": [{"name": "trial", "mountPath": "/trial", "readOnly": True}],
        }
        return {"spec": {"containers": [container], "volumes": [{"name": "trial", "configMap": {"name": "trial"}}]}}

    def patch(self, name: str, **spec: Any) -> None:
        """Change a sweep's spec as an editor would."""
        self.cluster.kubectl(
            *("-n", self.namespace, "patch", "synthsweep", name, "--type=merge"), "-p", json.dumps({"spec": spec})
        )

    def status(self, name: str) -> SweepStatus:
        """The sweep's status."""
        return SweepStatus.model_validate(self.cluster.get("synthsweep", name, self.namespace).get("status", {}))

    def until(
        self, name: str, condition: Callable[[SweepStatus], object], what: str, seconds: float = 120.0
    ) -> SweepStatus:
        """Wait for a status; a failure shows what there is."""
        until(lambda: condition(self.status(name)), lambda: f"{what}; there is:\n{self.report(name)}", seconds)
        return self.status(name)

    def wait_for(self, condition: str, name: str, seconds: int = 600) -> None:
        """As users do it; fails with a report."""
        words = ("wait", f"--for=condition={condition}", f"synthsweep/{name}", f"--timeout={seconds}s")
        try:
            self.cluster.kubectl("-n", self.namespace, *words)
        except CommandError as error:
            raise AssertionError(f"{error}; there is:\n{self.report(name)}") from error

    def finished(self, name: str, seconds: float = 600.0) -> SweepStatus:
        """Wait for the end of what the sweep's spec now asks for."""
        return self.until(name, lambda status: self._is_over(name, status), "the sweep did not end", seconds)

    def jobs(self, name: str, kind: str = "") -> list[dict[str, Any]]:
        """The sweep's Jobs, by kind."""
        selector = f"synth-operator.io/sweep={name}" + (f",synth-operator.io/job={kind}" if kind else "")
        items: list[dict[str, Any]] = self.cluster.get("jobs", namespace=self.namespace, selector=selector)["items"]
        return items

    def pods(self, name: str, kind: str = "") -> list[dict[str, Any]]:
        """The sweep's pods, by the kind of their Job."""
        selector = f"synth-operator.io/sweep={name}" + (f",synth-operator.io/job={kind}" if kind else "")
        items: list[dict[str, Any]] = self.cluster.get("pods", namespace=self.namespace, selector=selector)["items"]
        return items

    def working(self, name: str) -> list[str]:
        """Names of the sweep's render pods that run and are not being stopped."""
        pods = (pod for pod in self.pods(name, "render") if pod["status"]["phase"] == "Running")
        return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def let_go(self, name: str) -> None:
        """The pods that work go on with what the trial engine `held` holds."""
        for pod in self.working(name):
            self.cluster.kubectl("-n", self.namespace, "exec", pod, "--", "touch", "/scratch/go")

    def report(self, name: str) -> str:
        """Sweep, pods, events and the operator's log, for a failed test."""
        parts = [
            ("-n", self.namespace, "get", "synthsweep", name, "-o", "yaml"),
            ("-n", self.namespace, "get", "jobs,pods"),
            ("-n", self.namespace, "get", "events"),
            ("-n", SYSTEM, "logs", "deployment/synth-operator", "--tail=30"),
        ]
        return "\n".join(self.cluster.kubectl(*part) for part in parts)

    def _is_over(self, name: str, status: SweepStatus) -> bool:
        generation = self.cluster.get("synthsweep", name, self.namespace)["metadata"]["generation"]
        return status.observed_generation == generation and status.phase in FINISHED


def _resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
