"""A release and its end: `helm test`, and sweeps that outlive `helm uninstall` and can still be deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.commands import CommandError, run_command
from harness.operator_chart import OPERATOR_NAMESPACE, install_operator
from harness.slot import find_program
from harness.sweep_namespace import SMALL_REQUESTS

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace


def test_helm_test_completes_a_sweep_before_and_after_a_new_installation(
    cluster: Cluster, namespace: SweepNamespace
) -> None:
    namespace.kubectl("create", "rolebinding", "edit", "--clusterrole=edit", "--user=tenant")
    namespace.apply_sweep("left", "absent")
    settings = build_test_settings(namespace)
    install_operator(cluster, *settings)
    assert "Complete: " in run_helm_test(cluster, "helm3")

    cluster.helm("uninstall", "synth", f"--namespace={OPERATOR_NAMESPACE}", "--wait")
    namespace.kubectl("delete", "synthsweep", "left", "--as=tenant", "--timeout=300s")

    install_operator(cluster, *settings)
    assert "Complete: " in run_helm_test(cluster, "helm")
    assert namespace.kubectl("get", "synthsweeps", "-o", "name") == ""
    left = cluster.kubectl("-n", OPERATOR_NAMESPACE, "get", "serviceaccounts,roles,configmaps", "-o", "name")
    assert "synth-operator-test" not in left


def build_test_settings(namespace: SweepNamespace) -> list[str]:
    """Return `--set` values with which `helm test` runs its sweep in the namespace."""
    output = {**namespace.output, "insecure": "true", "secretRef.name": namespace.output["secretRef"]["name"]}
    del output["secretRef"]
    fields = {f"output.{key}": value for key, value in output.items()}
    fields |= {f"resources.requests.{key}": value for key, value in SMALL_REQUESTS.items()}
    spec = [f"test.spec.{key}={value}" for key, value in fields.items()]
    return [f"test.namespace={namespace.name}", *spec]


def run_helm_test(cluster: Cluster, program: str) -> str:
    """Return the output of a test that succeeds; a failure shows the log of its pod."""
    homes = {f"HELM_{kind}_HOME": f"{cluster.scratch_folder}/{program}" for kind in ("CACHE", "CONFIG", "DATA")}
    options = (f"--kubeconfig={cluster.kubeconfig}", f"--namespace={OPERATOR_NAMESPACE}", "--logs")
    try:
        return run_command(find_program(program), "test", "synth", *options, environment={**os.environ, **homes})
    except CommandError as error:
        log = cluster.kubectl("-n", OPERATOR_NAMESPACE, "logs", "synth-operator-test")
        raise AssertionError(f"{error}:\n{log}") from error
