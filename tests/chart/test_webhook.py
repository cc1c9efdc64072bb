"""Objects of the validating webhook: off by default, least rights, and never in the way of the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from servers import ROOT

from synth_operator.webhook.serve import parse_options

if TYPE_CHECKING:
    from conftest import Helm, Objects

Tree = dict[str, Any]
NAME = "synth-operator-webhook"
CLUSTER_NAME = f"{NAME}.machinery"
ENABLED: Tree = {"admissionWebhook": {"enabled": True}}
CERT_MANAGER: Tree = {"admissionWebhook": {"enabled": True, "certManager": {"enabled": True}}}


def find_new(helm: Helm, values: Tree) -> list[Tree]:
    """Return the objects that the webhook adds, and those that it changes."""
    without = helm.render({**values, "admissionWebhook": {"enabled": False}})
    return [each for each in helm.render(values) if each not in without]


def pick(objects: Objects, kind: str, name: str = NAME) -> Tree:
    (found,) = (each for each in objects.of(kind) if each["metadata"]["name"] == name)
    return found


def test_it_is_off_by_default_and_leaves_the_operators_objects_as_they_are(helm: Helm) -> None:
    assert helm.render().of("ValidatingWebhookConfiguration") == []
    assert {each["kind"] for each in find_new(helm, ENABLED)} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "Deployment",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
        "ValidatingWebhookConfiguration",
    }
    assert {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in find_new(helm, ENABLED)} == {
        "webhook"
    }


def test_its_rights_are_to_read_a_recipe_by_name_and_to_change_its_own_registration(helm: Helm) -> None:
    (role,) = (each for each in find_new(helm, ENABLED) if each["kind"] == "ClusterRole")
    assert role["rules"] == [
        {
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["validatingwebhookconfigurations"],
            "resourceNames": [CLUSTER_NAME],
            "verbs": ["get", "patch"],
        },
        {"apiGroups": ["synth-operator.io"], "resources": ["synthrecipes"], "verbs": ["get"]},
    ]
    objects = helm.render(ENABLED)
    account = pick(objects, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"]
    bound = [each for each in objects.of("ClusterRoleBinding") if each["subjects"][0]["name"] == account]
    assert [each["roleRef"]["name"] for each in bound] == [CLUSTER_NAME]


def test_in_some_namespaces_it_reads_and_checks_those_only(helm: Helm) -> None:
    objects = helm.render({**ENABLED, "namespaces": ["lab-a", "lab-b"]})
    assert "synthrecipes" not in str(pick(objects, "ClusterRole", CLUSTER_NAME))
    roles = [each for each in objects.of("Role") if each["metadata"]["name"] == NAME]
    assert [each["metadata"]["namespace"] for each in roles] == ["lab-a", "lab-b"]
    (webhook,) = objects.only("ValidatingWebhookConfiguration")["webhooks"]
    (selected,) = webhook["namespaceSelector"]["matchExpressions"]
    assert selected == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["lab-a", "lab-b"]}


def test_only_specs_are_checked_and_deletions_and_the_operators_writes_pass(helm: Helm) -> None:
    values = {**ENABLED, "serviceAccount": {"create": False, "name": "platform"}}
    (webhook,) = helm.render(values).only("ValidatingWebhookConfiguration")["webhooks"]
    (rule,) = webhook["rules"]
    assert (rule["resources"], rule["operations"]) == (
        ["synthsweeps", "synthrecipes", "synthdatasets"],
        ["CREATE", "UPDATE"],
    )
    assert [each["expression"] for each in webhook["matchConditions"]] == [
        "request.userInfo.username != 'system:serviceaccount:machinery:platform'",
        "!has(object.metadata.deletionTimestamp)",
    ]
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"], webhook["sideEffects"]) == ("Ignore", 3, "None")


def test_the_registration_leaves_to_the_webhook_what_the_webhook_writes(helm: Helm) -> None:
    (webhook,) = helm.render(ENABLED).only("ValidatingWebhookConfiguration")["webhooks"]
    assert webhook["clientConfig"] == {"service": {"name": NAME, "namespace": "machinery"}}


@pytest.mark.parametrize("values", [ENABLED, CERT_MANAGER], ids=["own", "cert-manager"])
def test_the_command_line_fits_the_other_objects(helm: Helm, values: Tree) -> None:
    objects = helm.render({**values, "admissionWebhook": {**values["admissionWebhook"], "port": 9000}})
    (container,) = pick(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "synth_operator.webhook"]
    options = parse_options(container["args"])
    service = pick(objects, "Service")
    assert options.host == (f"{service['metadata']['name']}.machinery.svc",)
    assert options.name == objects.only("ValidatingWebhookConfiguration")["metadata"]["name"]
    assert container["ports"] == [{"name": service["spec"]["ports"][0]["targetPort"], "containerPort": options.port}]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert str(options.config.parent) in mounts
    assert options.certificates is None or str(options.certificates) in mounts


def test_cert_manager_issues_and_injects(helm: Helm) -> None:
    objects = helm.render(CERT_MANAGER)
    certificate = objects.only("Certificate")
    annotations = objects.only("ValidatingWebhookConfiguration")["metadata"]["annotations"]
    assert annotations == {"cert-manager.io/inject-ca-from": f"machinery/{certificate['metadata']['name']}"}
    assert certificate["spec"]["issuerRef"] == {"name": objects.only("Issuer")["metadata"]["name"], "kind": "Issuer"}
    volumes = pick(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "certificates", "secret": {"secretName": certificate["spec"]["secretName"]}} in volumes
    platform = {"name": "platform", "kind": "ClusterIssuer"}
    webhook = {**CERT_MANAGER["admissionWebhook"], "certManager": {"enabled": True, "issuerRef": platform}}
    other = helm.render({"admissionWebhook": webhook})
    assert (other.only("Certificate")["spec"]["issuerRef"], other.of("Issuer")) == (platform, [])


def test_its_pods_are_as_the_operators(helm: Helm) -> None:
    objects = helm.render(ENABLED)
    operator, webhook = (
        pick(objects, "Deployment", name)["spec"]["template"]["spec"] for name in ("synth-operator", NAME)
    )
    assert webhook["securityContext"] == operator["securityContext"]
    for key in ("image", "securityContext"):
        assert webhook["containers"][0][key] == operator["containers"][0][key]
    assert {next(iter(volume.keys() - {"name"})) for volume in webhook["volumes"]} == {"configMap", "emptyDir"}


def test_a_long_release_name_makes_a_valid_service(helm: Helm) -> None:
    options = ("--kube-version", "1.35.4", "--show-only", "templates/webhook/deployment.yaml")
    text = helm.run("template", "s" * 53, str(ROOT / "charts/synth-operator"), *options, values=ENABLED)
    names = {each["metadata"]["name"] for each in yaml.safe_load_all(text) if each}
    assert names == {f"{'s' * 52}-webhook"}
