"""Connection to the cluster of a kubeconfig, with the requests that `synth` needs."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name

try:
    from kubernetes import client, config
    from kubernetes.config import ConfigException
except ModuleNotFoundError:
    raise InputError("kubernetes", "a cluster needs the Kubernetes client: install synth-operator[cli]") from None

from synth_api.resources.base import API_VERSION
from synth_cli.cluster.api_requests import ApiRequests
from synth_cli.cluster.cluster_dataset import PREFIX, ClusterDataset
from synth_cli.cluster.cluster_errors import AbsentError
from synth_cli.cluster.cluster_sweep import ClusterSweep
from synth_cli.cluster.sweep_names import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_cli.cluster.api_requests import Tree
    from synth_cli.cluster.cluster_object import ClusterObject

_KUBECONFIG: Final = "kubeconfig"
_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Cluster:
    """A cluster and a namespace. Methods raise InputError, or ClusterError if the cluster is unavailable."""

    namespace: str
    requests: ApiRequests

    def list_sweeps(self) -> list[ClusterSweep]:
        """Return all sweeps of the namespace, sorted by name."""
        try:
            found = self.requests.get(self._custom_path(ClusterSweep.resource))["items"]
        except AbsentError:
            problem = "the cluster has no SynthSweep resource; install the chart charts/synth-operator first"
            raise InputError(self.requests.server, problem) from None
        return sorted(map(ClusterSweep.from_json, found), key=lambda sweep: sweep.name)

    def read_sweep(self, name: str) -> ClusterSweep:
        """Return a sweep. Raises InputError with the nearest name if there is none."""
        check_name(name, "sweep")
        try:
            return ClusterSweep.from_json(self.requests.get(self._custom_path(ClusterSweep.resource, name)))
        except AbsentError:
            raise InputError(name, self._explain_absence(name, "sweep", self.list_sweeps())) from None

    def list_datasets(self) -> list[ClusterDataset]:
        """Return all datasets of the namespace, sorted by name; none on a cluster of an earlier release."""
        with suppress(AbsentError):
            found = self.requests.get(self._custom_path(ClusterDataset.resource))["items"]
            return sorted(map(ClusterDataset.from_json, found), key=lambda dataset: dataset.name)
        return []

    def read_dataset(self, name: str) -> ClusterDataset:
        """Return a dataset. Raises InputError with the nearest name if there is none."""
        check_name(name, "dataset")
        try:
            return ClusterDataset.from_json(self.requests.get(self._custom_path(ClusterDataset.resource, name)))
        except AbsentError:
            raise InputError(f"{PREFIX}{name}", self._explain_absence(name, "dataset", self.list_datasets())) from None

    def read_object(self, word: str) -> ClusterSweep | ClusterDataset:
        """Return the sweep, or with `dataset/` the dataset, that a word names. Raises InputError if there is none."""
        return self.read_dataset(word.removeprefix(PREFIX)) if word.startswith(PREFIX) else self.read_sweep(word)

    def read_recipe(self, name: str) -> Tree:
        """Return the spec of a SynthRecipe. Raises InputError if there is none."""
        try:
            spec: Tree = self.requests.get(self._custom_path("synthrecipes", name))["spec"]
        except AbsentError:
            problem = f"there is no SynthRecipe '{name}' in namespace '{self.namespace}'; apply it first"
            raise InputError("recipeRef", problem) from None
        return spec

    def patch_spec(self, name: str, change: Tree) -> None:
        """Merge a change into the spec of an existing sweep."""
        self.requests.patch(self._custom_path(ClusterSweep.resource, name), {"spec": change})

    def list_pods(self, owner: ClusterObject) -> list[Tree]:
        """Return the pods of the Jobs of a sweep or dataset, oldest first."""
        found = self.requests.get(self._core_path("pods"), labelSelector=f"{owner.label}={owner.name}")["items"]
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def read_log(self, pod: str, *, tail: int | None, follow: bool = False) -> Iterator[str]:
        """Yield the lines of a pod's log. Raises AbsentError if the pod does not exist."""
        query = {"follow": "true"} if follow else {}
        if tail is not None:
            query["tailLines"] = str(tail)
        return self.requests.stream_lines(self._core_path("pods", pod, "log"), **query)

    def read_secret(self, name: str) -> dict[str, bytes]:
        """Return the entries of a Secret, decoded. Raises InputError if there is none."""
        try:
            data = self.requests.get(self._core_path("secrets", name)).get("data") or {}
        except AbsentError:
            problem = (
                f"there is no Secret '{name}' in namespace '{self.namespace}'; create it, or set AWS_ACCESS_KEY_ID"
            )
            raise InputError("output", problem) from None
        return {key: base64.b64decode(value) for key, value in data.items()}

    def read_config_map(self, name: str) -> dict[str, str] | None:
        """Return the entries of a ConfigMap; None if there is none."""
        with suppress(AbsentError):
            return self.requests.get(self._core_path("configmaps", name)).get("data") or {}
        return None

    def _custom_path(self, *words: str) -> str:
        return "/".join((f"/apis/{API_VERSION}/namespaces/{self.namespace}", *words))

    def _core_path(self, *words: str) -> str:
        return "/".join((f"/api/v1/namespaces/{self.namespace}", *words))

    def _explain_absence(self, name: str, what: str, existing: Sequence[ClusterObject]) -> str:
        names = [each.name for each in existing]
        problem = f"there is no {what} of this name in namespace '{self.namespace}'"
        remedy = suggest_name(name, names) if names else f"the namespace has no {what}s; give another one with -n"
        return f"{problem}; {remedy}"


def connect(context: str | None, namespace: str | None) -> Cluster:
    """Connect to the cluster of a kubeconfig context, or in a pod to its cluster. Raises InputError without either."""
    configuration = client.Configuration()
    try:
        contexts, current = config.list_kube_config_contexts()
    except ConfigException:
        if context is not None:
            raise InputError(
                "--context", f"there is no kubeconfig with a context '{context}'; set KUBECONFIG"
            ) from None
        return Cluster(namespace or _load_incluster_config(configuration), ApiRequests(configuration))
    entry = current if context is None else _choose_context(context, contexts)
    config.load_kube_config(context=entry["name"], client_configuration=configuration)
    return Cluster(namespace or entry["context"].get("namespace") or "default", ApiRequests(configuration))


def connect_for_sweep(
    word: str, context: str | None, namespace: str | None, absence: str = "there is no such file or folder"
) -> Cluster:
    """Connect to read the sweep `word`, which is not a file: `absence` says so. Raises InputError as `connect`."""
    try:
        return connect(context, namespace)
    except InputError as error:
        if error.path != _KUBECONFIG:
            raise
        raise InputError(word, f"{absence}; to find a sweep of this name, {error.problem}") from None


def _choose_context(context: str, contexts: Sequence[Any]) -> Any:
    known = {entry["name"]: entry for entry in contexts}
    if context not in known:
        raise InputError("--context", f"the kubeconfig has no context '{context}'; {suggest_name(context, known)}")
    return known[context]


def _load_incluster_config(configuration: client.Configuration) -> str:
    """Configure for the cluster of this pod; return the namespace of the pod."""
    try:
        config.load_incluster_config(client_configuration=configuration)
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except (ConfigException, OSError):
        problem = "set KUBECONFIG to a kubeconfig: no cluster is configured"
        raise InputError(_KUBECONFIG, problem) from None
