"""What a release consists of: the least rights, the least of a pod, and switches for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from servers import ROOT

if TYPE_CHECKING:
    from conftest import Helm, Objects

Tree = dict[str, Any]
EVERYTHING: Tree = {
    "replicas": 2,
    "networkPolicy": {"enabled": True},
    "metrics": {
        "podMonitor": {"enabled": True},
        "serviceMonitor": {"enabled": True},
        "alerts": {"enabled": True},
        "dashboard": {"enabled": True},
    },
}
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
NAMESPACED_INSTALL: Tree = {
    "namespaces": ["lab-a", "lab-b"],
    "crds": {"install": False},
    "rbac": {"userRoles": False},
}


def rules(objects: Objects) -> list[Tree]:
    """Of whatever the operator's service account is bound to."""
    bindings = objects.of("ClusterRoleBinding") + objects.of("RoleBinding")
    bound = {(each["roleRef"]["kind"], each["roleRef"]["name"]) for each in bindings}
    return [rule for each in objects if (each["kind"], each["metadata"]["name"]) in bound for rule in each["rules"]]


@pytest.mark.parametrize("values", [{}, NAMESPACED_INSTALL], ids=["cluster", "namespaces"])
def test_no_rule_reaches_secrets_or_says_everything(helm: Helm, values: Tree) -> None:
    found = rules(helm.render(values))
    assert found
    for rule in found:
        named = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert named.isdisjoint({"*", "secrets", "pods/exec", "pods/log", "escalate", "bind", "impersonate"}), rule


def test_listed_namespaces_need_nothing_cluster_wide(helm: Helm) -> None:
    objects = helm.render(NAMESPACED_INSTALL)
    assert {each["kind"] for each in objects} & CLUSTER_WIDE == set()
    roles = {each["metadata"]["namespace"]: each["rules"] for each in objects.of("Role")}
    assert set(roles) == {"lab-a", "lab-b", "machinery"}
    (role,) = (each for each in helm.render().of("ClusterRole") if each["metadata"]["name"] == "synth-operator")
    assert roles["lab-a"] == roles["lab-b"] == role["rules"]


def test_outside_the_lease_the_own_namespace_gets_no_rights(helm: Helm) -> None:
    (role,) = (each for each in helm.render(NAMESPACED_INSTALL).of("Role") if "lease" in each["metadata"]["name"])
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"leases"}


def test_the_pod_is_as_restricted_as_pod_security_knows(helm: Helm) -> None:
    pod = helm.render().pod["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} == {"configMap", "emptyDir"}


def test_the_pod_knows_its_ports_and_its_configuration(helm: Helm) -> None:
    objects = helm.render({"metrics": {"port": 9002}, "health": {"port": 9001}})
    (container,) = objects.pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"metrics": objects.configuration.metrics_port, "health": objects.configuration.health_port}
    assert {container[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")} == {
        "health"
    }
    assert objects.only("Service")["spec"]["ports"][0]["port"] == 9002


def test_another_configuration_replaces_the_pod_and_the_same_does_not(helm: Helm) -> None:
    annotations = [
        helm.render(values).pod["metadata"]["annotations"] for values in ({}, {"workers": 8}, {"workers": 9})
    ]
    assert annotations[0] == annotations[1] != annotations[2]


def test_selectors_survive_an_upgrade(helm: Helm) -> None:
    selector = helm.render().only("Deployment")["spec"]["selector"]["matchLabels"]
    assert set(selector) == {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
    }


def test_by_default_nothing_that_a_bare_cluster_lacks(helm: Helm) -> None:
    groups = {each["apiVersion"].partition("/")[0] for each in helm.render()}
    assert groups <= {"v1", "apps", "rbac.authorization.k8s.io", "apiextensions.k8s.io"}


def test_switches_add_what_they_say(helm: Helm) -> None:
    added = {each["kind"] for each in helm.render(EVERYTHING)} - {each["kind"] for each in helm.render()}
    assert added == {"NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
    labelled = [each for each in helm.render(EVERYTHING) if "grafana_dashboard" in each["metadata"].get("labels", {})]
    assert [each["kind"] for each in labelled] == ["ConfigMap"]


def test_one_replica_may_be_evicted(helm: Helm) -> None:
    assert helm.render({"replicas": 1}).of("PodDisruptionBudget") == []


def test_a_service_monitor_without_service_is_refused_in_a_sentence(helm: Helm) -> None:
    values = {"metrics": {"service": False, "serviceMonitor": {"enabled": True}}}
    with pytest.raises(Exception, match=r"metrics\.serviceMonitor\.enabled needs metrics\.service"):
        helm.render(values)


def test_definitions_are_those_of_the_tree_and_outlive_the_release(helm: Helm) -> None:
    installed = {each["metadata"]["name"]: each for each in helm.render().of("CustomResourceDefinition")}
    generated = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert set(installed) == {"synthsweeps.synth-operator.io", "synthrecipes.synth-operator.io"}
    for definition in generated:
        found = installed[definition["metadata"]["name"]]
        assert found["spec"] == definition["spec"]
        assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_definitions_can_go_with_the_release_or_come_from_elsewhere(helm: Helm) -> None:
    kept = helm.render({"crds": {"keep": False}}).of("CustomResourceDefinition")
    assert all("helm.sh/resource-policy" not in each["metadata"].get("annotations", {}) for each in kept)
    assert helm.render({"crds": {"install": False}}).of("CustomResourceDefinition") == []


def test_no_object_carries_a_secret(helm: Helm) -> None:
    assert helm.render(EVERYTHING).of("Secret") == []
