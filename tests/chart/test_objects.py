"""Objects of a release: minimal rights, a restricted pod, and switches for optional objects."""

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
    """Return the rules of all roles bound to the operator's service account."""
    bindings = objects.of("ClusterRoleBinding") + objects.of("RoleBinding")
    bound = {(each["roleRef"]["kind"], each["roleRef"]["name"]) for each in bindings}
    return [rule for each in objects if (each["kind"], each["metadata"]["name"]) in bound for rule in each["rules"]]


@pytest.mark.parametrize("values", [{}, NAMESPACED_INSTALL], ids=["cluster", "namespaces"])
def test_no_rule_covers_secrets_or_wildcards(helm: Helm, values: Tree) -> None:
    found = rules(helm.render(values))
    assert found
    for rule in found:
        named = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert named.isdisjoint({"*", "secrets", "pods/exec", "pods/log", "escalate", "bind", "impersonate"}), rule


def test_an_install_for_namespaces_has_no_cluster_wide_object(helm: Helm) -> None:
    objects = helm.render(NAMESPACED_INSTALL)
    assert {each["kind"] for each in objects} & CLUSTER_WIDE == set()
    roles = {each["metadata"]["namespace"]: each["rules"] for each in objects.of("Role")}
    assert set(roles) == {"lab-a", "lab-b", "machinery"}
    (role,) = (each for each in helm.render().of("ClusterRole") if each["metadata"]["name"] == "synth-operator")
    assert roles["lab-a"] == roles["lab-b"] == role["rules"]


@pytest.mark.parametrize("limits", [{"default": {"gpuHoursPerDay": 8}}, {"namespaces": {"lab": {"gpuHoursPerDay": 8}}}])
def test_gpu_hours_are_kept_in_one_configmap_that_the_operator_may_only_change(helm: Helm, limits: Tree) -> None:
    objects = helm.render({"limits": limits})

    (role,) = (each for each in objects.of("Role") if "lease" in each["metadata"]["name"])
    (rule,) = (rule for rule in role["rules"] if rule["resources"] == ["configmaps"])
    assert (rule["resourceNames"], rule["verbs"]) == (["synth-operator-gpu-hours"], ["get", "patch"])
    (record,) = (each for each in objects.of("ConfigMap") if each["metadata"]["name"] == "synth-operator-gpu-hours")
    assert "data" not in record, "an upgrade would put it back"


def test_the_own_namespace_grants_only_the_lease_and_new_events(helm: Helm) -> None:
    (role,) = (each for each in helm.render(NAMESPACED_INSTALL).of("Role") if "lease" in each["metadata"]["name"])
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"leases", "events"}
    assert [rule["verbs"] for rule in role["rules"] if rule["resources"] == ["events"]] == [["create"]]


def test_the_pod_satisfies_pod_security_restricted(helm: Helm) -> None:
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


def test_the_pod_has_its_ports_and_its_configuration(helm: Helm) -> None:
    objects = helm.render({"metrics": {"port": 9002}, "health": {"port": 9001}})
    (container,) = objects.pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"metrics": objects.configuration.metrics_port, "health": objects.configuration.health_port}
    assert {container[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")} == {
        "health"
    }
    assert objects.only("Service")["spec"]["ports"][0]["port"] == 9002


def test_only_another_configuration_replaces_the_pod(helm: Helm) -> None:
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


def test_the_defaults_need_no_further_definitions(helm: Helm) -> None:
    groups = {each["apiVersion"].partition("/")[0] for each in helm.render()}
    assert groups <= {"v1", "apps", "rbac.authorization.k8s.io", "apiextensions.k8s.io"}


def test_each_switch_adds_its_objects(helm: Helm) -> None:
    added = {each["kind"] for each in helm.render(EVERYTHING)} - {each["kind"] for each in helm.render()}
    assert added == {"NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
    labelled = [each for each in helm.render(EVERYTHING) if "grafana_dashboard" in each["metadata"].get("labels", {})]
    assert [each["kind"] for each in labelled] == ["ConfigMap"]


def test_one_replica_may_be_evicted(helm: Helm) -> None:
    assert helm.render({"replicas": 1}).of("PodDisruptionBudget") == []


def test_definitions_match_the_repository_and_are_kept_on_uninstall(helm: Helm) -> None:
    installed = {each["metadata"]["name"]: each for each in helm.render().of("CustomResourceDefinition")}
    generated = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert set(installed) == {f"{kind}.synth-operator.io" for kind in ("synthsweeps", "synthrecipes", "synthdatasets")}
    for definition in generated:
        found = installed[definition["metadata"]["name"]]
        assert found["spec"] == definition["spec"]
        assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_definitions_can_be_deleted_on_uninstall_or_omitted(helm: Helm) -> None:
    kept = helm.render({"crds": {"keep": False}}).of("CustomResourceDefinition")
    assert all("helm.sh/resource-policy" not in each["metadata"].get("annotations", {}) for each in kept)
    assert helm.render({"crds": {"install": False}}).of("CustomResourceDefinition") == []


def find_user_roles(objects: Objects) -> list[Tree]:
    return [each for each in objects.of("ClusterRole") if "aggregate-to-" in str(each["metadata"]["labels"])]


def test_roles_of_users_stay_and_go_with_the_definitions(helm: Helm) -> None:
    for keep in (True, False):
        roles = find_user_roles(helm.render({"crds": {"keep": keep}}))
        assert len(roles) == 2
        for role in roles:
            assert ("helm.sh/resource-policy" in role["metadata"].get("annotations", {})) is keep
    assert find_user_roles(helm.render({"rbac": {"userRoles": False}})) == []


def test_roles_of_users_have_the_same_name_in_each_release(helm: Helm) -> None:
    roles = find_user_roles(helm.render({"fullnameOverride": "imaging"}))
    assert {each["metadata"]["name"] for each in roles} == {"synth-operator-view", "synth-operator-edit"}


def test_no_object_contains_a_secret(helm: Helm) -> None:
    assert helm.render(EVERYTHING).of("Secret") == []
