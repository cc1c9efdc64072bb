"""The cluster of a kubeconfig, with the few calls that `synth` needs."""

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

from synth_api.jobs.names import SWEEP_LABEL
from synth_api.resources.base import API_VERSION
from synth_cli.cluster.api_requests import ApiRequests
from synth_cli.cluster.cluster_errors import AbsentError
from synth_cli.cluster.cluster_sweep import ClusterSweep
from synth_cli.cluster.sweep_names import check_sweep_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_cli.cluster.api_requests import Tree

_KUBECONFIG: Final = "kubeconfig"
_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Cluster:
    """A cluster and the namespace that is spoken of. Methods raise InputError, or ClusterError when it is away."""

    namespace: str
    requests: ApiRequests

    def sweeps(self) -> list[ClusterSweep]:
        """All sweeps of the namespace, by name."""
        try:
            found = self.requests.get(self._custom("synthsweeps"))["items"]
        except AbsentError:
            problem = "the cluster knows no SynthSweep; install the chart charts/synth-operator first"
            raise InputError(self.requests.server, problem) from None
        return sorted(map(ClusterSweep.of, found), key=lambda sweep: sweep.name)

    def sweep(self, name: str) -> ClusterSweep:
        """The sweep of this name. Raises InputError with the nearest."""
        check_sweep_name(name)
        try:
            return ClusterSweep.of(self.requests.get(self._custom("synthsweeps", name)))
        except AbsentError:
            raise InputError(name, self._absent(name)) from None

    def recipe(self, name: str) -> Tree:
        """Spec of the SynthRecipe of this name."""
        try:
            spec: Tree = self.requests.get(self._custom("synthrecipes", name))["spec"]
        except AbsentError:
            problem = f"there is no SynthRecipe '{name}' in namespace '{self.namespace}'; apply it first"
            raise InputError("recipeRef", problem) from None
        return spec

    def change_spec(self, name: str, change: Tree) -> None:
        """Merge a change into the spec of a sweep that is there."""
        self.requests.merge(self._custom("synthsweeps", name), {"spec": change})

    def pods(self, sweep: str) -> list[Tree]:
        """Pods of a sweep's Jobs, in the order they were made."""
        found = self.requests.get(self._core("pods"), labelSelector=f"{SWEEP_LABEL}={sweep}")["items"]
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def log(self, pod: str, *, tail: int | None, follow: bool = False) -> Iterator[str]:
        """Lines of a pod's log. Raises AbsentError when the pod has gone."""
        query = {"follow": "true"} if follow else {}
        if tail is not None:
            query["tailLines"] = str(tail)
        return self.requests.lines(self._core("pods", pod, "log"), **query)

    def secret(self, name: str) -> dict[str, bytes]:
        """What a Secret holds."""
        try:
            data = self.requests.get(self._core("secrets", name)).get("data") or {}
        except AbsentError:
            problem = f"there is no Secret '{name}' in namespace '{self.namespace}'; make it, or set AWS_ACCESS_KEY_ID"
            raise InputError("output", problem) from None
        return {key: base64.b64decode(value) for key, value in data.items()}

    def config_map(self, name: str) -> dict[str, str] | None:
        """What a ConfigMap holds; None when it is not there."""
        with suppress(AbsentError):
            return self.requests.get(self._core("configmaps", name)).get("data") or {}
        return None

    def _custom(self, *words: str) -> str:
        return "/".join((f"/apis/{API_VERSION}/namespaces/{self.namespace}", *words))

    def _core(self, *words: str) -> str:
        return "/".join((f"/api/v1/namespaces/{self.namespace}", *words))

    def _absent(self, name: str) -> str:
        names = [sweep.name for sweep in self.sweeps()]
        here = f"there is no sweep of this name in namespace '{self.namespace}'"
        return (
            f"{here}; {suggest_name(name, names)}"
            if names
            else f"{here}, nor any other; give another namespace with -n"
        )


def connect(context: str | None, namespace: str | None) -> Cluster:
    """The cluster of the kubeconfig's context, or the one this runs in. Raises InputError when there is neither."""
    configuration = client.Configuration()
    try:
        contexts, current = config.list_kube_config_contexts()
    except ConfigException:
        if context is not None:
            raise InputError(
                "--context", f"there is no kubeconfig with a context '{context}'; set KUBECONFIG"
            ) from None
        return Cluster(namespace or _inside(configuration), ApiRequests(configuration))
    chosen = current if context is None else _chosen(context, contexts)
    config.load_kube_config(context=chosen["name"], client_configuration=configuration)
    return Cluster(namespace or chosen["context"].get("namespace") or "default", ApiRequests(configuration))


def connect_for(word: str, context: str | None, namespace: str | None) -> Cluster:
    """The cluster that is asked for a sweep, because no file has its name. Raises InputError as `connect`."""
    try:
        return connect(context, namespace)
    except InputError as error:
        if error.path != _KUBECONFIG:
            raise
        raise InputError(word, f"there is no such file or folder; and for a sweep, {error.problem}") from None


def _chosen(context: str, contexts: Sequence[Any]) -> Any:
    known = {one["name"]: one for one in contexts}
    if context not in known:
        raise InputError("--context", f"the kubeconfig has no context '{context}'; {suggest_name(context, known)}")
    return known[context]


def _inside(configuration: client.Configuration) -> str:
    """Configure for the cluster that this process runs in; returns its namespace."""
    try:
        config.load_incluster_config(client_configuration=configuration)
        return _ACCOUNT.read_text(encoding="utf-8").strip()
    except (ConfigException, OSError):
        problem = "there is no cluster to speak to; set KUBECONFIG to a kubeconfig of one"
        raise InputError(_KUBECONFIG, problem) from None
