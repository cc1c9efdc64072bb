"""A namespace for the sweeps of one test, with a Secret and a prefix of the bucket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from servers import ACCESS_KEY, ROOT, SECRET_KEY
from waiting import wait_until

from harness.commands import CommandError
from harness.node_store import BUCKET
from harness.operator_chart import OPERATOR_NAMESPACE
from synth_api.resources.synth_sweep import SweepStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cluster import Cluster
    from harness.node_store import NodeStore

RESTRICTED: Final = "pod-security.kubernetes.io/enforce=restricted"
SMALL_REQUESTS: Final = {"cpu": "100m", "memory": "256Mi"}
FINAL_PHASES: Final = frozenset({"Complete", "Failed"})


@dataclass(frozen=True)
class SweepNamespace:
    """Applies, reads and waits for sweeps in one namespace, whose name is also their prefix in the bucket."""

    cluster: Cluster
    store: NodeStore
    name: str

    def create(self) -> None:
        """Create the namespace, which enforces the `restricted` pod security standard, and its Secret."""
        self.cluster.kubectl("create", "namespace", self.name)
        self.cluster.kubectl("label", "namespace", self.name, RESTRICTED)
        self.apply_secret()

    def apply_secret(self, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY) -> None:
        """Write the Secret `dataset-store`; another `secret_key` makes the credentials wrong."""
        keys = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dataset-store"}, "stringData": keys})

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace and return its output. Raises CommandError."""
        return self.cluster.kubectl(f"--namespace={self.name}", *arguments, stdin=stdin)

    def apply(self, *documents: dict[str, Any]) -> None:
        """Apply objects server-side."""
        self.cluster.apply(*documents, namespace=self.name)

    @property
    def output(self) -> dict[str, Any]:
        """`spec.output` of the namespace's sweeps."""
        return {
            "endpoint": self.store.endpoint,
            "bucket": BUCKET,
            "prefix": self.name,
            "insecure": True,
            "secretRef": {"name": "dataset-store"},
        }

    @property
    def small_spec(self) -> dict[str, Any]:
        """Part of the spec that all sweeps share: the output, and pods with small requests."""
        return {"output": self.output, "resources": {"requests": SMALL_REQUESTS}}

    def apply_recipe(self, name: str, tree: dict[str, Any]) -> None:
        """Apply a SynthRecipe."""
        self.apply(_build_resource("SynthRecipe", name, {"recipe": tree}))

    def apply_sweep(self, name: str, recipe: str, **spec: Any) -> None:
        """Apply a SynthSweep with small pods; `spec` has camelCase keys, and None for fields to leave out."""
        whole = {"recipeRef": {"name": recipe}, **self.small_spec, **spec}
        given = {key: value for key, value in whole.items() if value is not None}
        self.apply(_build_resource("SynthSweep", name, given))

    def apply_trial_engine(self, function: str, *, module: str = "trial", **environment: str) -> dict[str, Any]:
        """Mount the trial engines and return the pod template of a sweep that renders with a function of a module.

        `trial` is `trial_engines.py`, `compiling` is `compiling_engine.py`.
        """
        sources = {"trial.py": "trial_engines.py", "compiling.py": "compiling_engine.py"}
        files = {name: (ROOT / "tests" / "cluster" / source).read_text("utf-8") for name, source in sources.items()}
        files["sitecustomize.py"] = "import trial; trial.await_lie()"
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trial"}, "data": files})
        variables = {"PYTHONPATH": "/trial", "SYNTH_ENGINE": f"{module}:{function}", **environment}
        container = {
            "name": "render",
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "volumeMounts": [{"name": "trial", "mountPath": "/trial", "readOnly": True}],
        }
        return {"spec": {"containers": [container], "volumes": [{"name": "trial", "configMap": {"name": "trial"}}]}}

    def patch_sweep(self, name: str, **spec: Any) -> None:
        """Merge `spec` into a sweep's spec."""
        self.kubectl("patch", "synthsweep", name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def read_status(self, name: str) -> SweepStatus:
        """Return a sweep's status."""
        return SweepStatus.model_validate(self.cluster.get_object("synthsweep", name, self.name).get("status", {}))

    def wait_for_status(
        self, name: str, condition: Callable[[SweepStatus], object], problem: str, seconds: float = 120.0
    ) -> SweepStatus:
        """Wait until the status meets a condition and return it; a failure shows `problem` and the sweep's objects."""
        wait_until(
            lambda: condition(self.read_status(name)), lambda: f"{problem}:\n{self.describe_sweep(name)}", seconds
        )
        return self.read_status(name)

    def wait_for_condition(self, condition: str, name: str, seconds: int = 600) -> None:
        """Wait with `kubectl wait`, as users do; a failure shows the sweep's objects."""
        options = (f"--for=condition={condition}", f"synthsweep/{name}", f"--timeout={seconds}s")
        try:
            self.kubectl("wait", *options)
        except CommandError as error:
            raise AssertionError(f"{error}:\n{self.describe_sweep(name)}") from error

    def wait_for_end(self, name: str, seconds: float = 600.0) -> SweepStatus:
        """Wait until the sweep's current spec is complete or has failed."""
        return self.wait_for_status(
            name, lambda status: self._has_ended(name, status), "the sweep did not end", seconds
        )

    def list_jobs(self, name: str, kind: str = "") -> list[dict[str, Any]]:
        """Return the sweep's Jobs, or those of one kind: plan, render, finalize or delete."""
        return self._list_children("jobs", name, kind)

    def list_pods(self, name: str, kind: str = "") -> list[dict[str, Any]]:
        """Return the sweep's pods, or those of one kind of Job."""
        return self._list_children("pods", name, kind)

    def list_running_pods(self, name: str) -> list[str]:
        """Names of the sweep's render pods that run and are not being deleted."""
        pods = (pod for pod in self.list_pods(name, "render") if pod["status"]["phase"] == "Running")
        return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def release_pods(self, name: str) -> None:
        """Let the running pods render the seeds that the trial engine `render_held` holds."""
        for pod in self.list_running_pods(name):
            self.kubectl("exec", pod, "--", "touch", "/scratch/go")

    def describe_sweep(self, name: str) -> str:
        """Return the sweep, Jobs, pods, events and the end of the operator's log, for a failed test."""
        parts = [
            (self.name, "get", "synthsweep", name, "-o", "yaml"),
            (self.name, "get", "jobs,pods"),
            (self.name, "get", "events"),
            (OPERATOR_NAMESPACE, "logs", "deployment/synth-operator", "--tail=30"),
        ]
        return "\n".join(self.cluster.kubectl("--namespace", *part) for part in parts)

    def _list_children(self, resource: str, name: str, kind: str) -> list[dict[str, Any]]:
        selector = f"synth-operator.io/sweep={name}" + (f",synth-operator.io/job={kind}" if kind else "")
        items: list[dict[str, Any]] = self.cluster.get_object(resource, namespace=self.name, selector=selector)["items"]
        return items

    def _has_ended(self, name: str, status: SweepStatus) -> bool:
        generation = self.cluster.get_object("synthsweep", name, self.name)["metadata"]["generation"]
        return status.observed_generation == generation and status.phase in FINAL_PHASES


def _build_resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
