"""Values become the operator's configuration; invalid ones are refused before the installation."""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
import yaml
from servers import ROOT

from synth_api.resources.namespace_limits import NamespaceLimits
from synth_api.resources.output import Output, SecretRef
from synth_operator.configuration import Configuration

if TYPE_CHECKING:
    from conftest import Helm

DIGEST = "sha256:" + "a" * 64
CHART = ROOT / "charts/synth-operator"
sys.path.insert(0, str(ROOT / "tools"))


def test_the_chart_lints(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.run("lint", "--strict", "--kube-version", "1.35.4", str(CHART))


def test_the_chart_has_the_version_of_the_repository() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]


def test_the_default_values_are_the_operators_defaults(helm: Helm) -> None:
    found = helm.render().configuration
    assert found == Configuration(
        operator_image="localhost/synth-operator:0.1.0",
        renderer_image="localhost/synth-renderer:0.1.0",
        lease=found.lease,
    )
    assert (found.lease.namespace, found.lease.name) == ("machinery", "synth-operator")


def test_every_key_of_the_configuration_can_be_set(helm: Helm) -> None:
    sweeps = {
        "output": {
            "endpoint": "minio:9000",
            "bucket": "data",
            "secretRef": {"name": "store"},
            "sharedBy": ["lab-a", "lab-b"],
        },
        "allowedImages": ["registry.example/lab/renderer", "debian:12", f"r/x@{DIGEST}"],
        "allowedServiceAccounts": ["store-access"],
        "allowedEndpoints": ["minio.store.svc:9000", "*.example.org"],
        "priorityClasses": ["render-low"],
        "overlay": {
            "tolerations": [{"key": "lab", "operator": "Exists"}],
            "claims": ["textures"],
            "reservedDomains": ["example.org"],
            "trusted": True,
        },
        "gpu": {
            "resourceName": "amd.com/gpu",
            "nodeSelector": {"pool": "gpu"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "runtimeClassName": "nvidia",
            "hourlyPrice": 2.5,
            "workersPerPod": 3,
            "kernelCache": {"hostPath": {"path": "/var/cache/synth-kernels", "namespaces": ["lab-a"]}, "size": "1Gi"},
            "startupSeconds": 900,
        },
        "renderResources": {"requests": {"cpu": 3}, "limits": {}},
        "jobResources": {"requests": {"cpu": "50m"}, "limits": {}},
        "scratchSize": "1Gi",
        "terminationGracePeriodSeconds": 7,
        "imagePullSecrets": ["pull"],
    }
    values = {
        "namespaces": ["lab-b", "lab-a"],
        "image": {"repository": "r/op", "tag": "9", "pullPolicy": "Never"},
        "renderer": {"image": {"repository": "r/re", "digest": DIGEST}},
        "lease": {"durationSeconds": 9},
        "health": {"port": 9001},
        "metrics": {"port": 9002},
        "limits": {
            "default": {"sweeps": 2, "pods": 5},
            "namespaces": {"lab-a": {"pods": None, "gpus": 3, "gpuHoursPerDay": 1.5}},
        },
        "workers": 3,
        "logLevel": "DEBUG",
        "sweeps": sweeps,
    }
    found = helm.render(values).configuration
    assert found.model_fields_set == set(Configuration.model_fields)
    assert found.namespaces == ("lab-a", "lab-b")
    assert (found.operator_image, found.renderer_image) == ("r/op:9", "r/re@sha256:" + "a" * 64)
    place = Output(endpoint="minio:9000", bucket="data", secret_ref=SecretRef(name="store"))
    assert [found.find_output(name) for name in ("lab-a", "lab-c")] == [
        place,
        place.model_copy(update={"prefix": "lab-c"}),
    ]
    assert (found.health_port, found.metrics_port, found.workers, found.log_level) == (9001, 9002, 3, "DEBUG")
    assert found.limits.find("lab-a") == NamespaceLimits(sweeps=2, gpus=3, gpu_hours_per_day=1.5)
    assert found.limits.find("lab-b") == NamespaceLimits(sweeps=2, pods=5)
    assert (found.gpu.runtime_class_name, found.gpu.hourly_price, found.gpu.workers_per_pod) == ("nvidia", 2.5, 3)
    assert [found.gpu.kernel_cache.is_for(name) for name in ("lab-a", "lab-b")] == [True, False]
    assert found.gpu.startup_seconds == 900
    assert found.lease.duration_seconds == 9


LONG = "a" * 53
QUANTITY = "[KMGTPE]i"
STORE = {"endpoint": "minio:9000", "bucket": "data"}
REFUSED: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"metric": {"port": 1}}, ("metric",)),
    ({"global": {"imageRegistri": "x"}}, ("global", "imageRegistri")),
    ({"global": {"imageRegistry": "https://mirror"}}, ("imageRegistry", "pattern")),
    ({"sweeps": {"gpu": {"resourcename": "x"}}}, ("gpu", "resourcename")),
    ({"sweeps": {"output": {**STORE, "secret": "x"}}}, ("output", "secret")),
    ({"sweeps": {"gpu": {"workersPerPod": 65}}}, ("gpu", "workersPerPod", "64")),
    ({"sweeps": {"gpu": {"hourlyPrice": -1}}}, ("gpu", "hourlyPrice", "0")),
    ({"sweeps": {"gpu": {"kernelCache": {"hostPath": "/k"}}}}, ("kernelCache", "hostPath", "object")),
    ({"sweeps": {"gpu": {"kernelCache": {"hostPath": {"path": "k"}}}}}, ("hostPath", "path", "pattern")),
    ({"sweeps": {"gpu": {"kernelCache": {"size": "big"}}}}, ("kernelCache", "size", QUANTITY)),
    ({"sweeps": {"gpu": {"startupSeconds": 10}}}, ("gpu", "startupSeconds", "60")),
    ({"limits": {"default": {"sweep": 2}}}, ("limits", "sweep")),
    ({"limits": {"default": {"gpus": -1}}}, ("limits", "gpus")),
    ({"limits": {"namespaces": {"Lab": {"gpus": 1}}}}, ("limits", "Lab")),
    ({"replicas": 0}, ("replicas", "1")),
    ({"namespaces": "lab"}, ("namespaces", "array")),
    ({"namespaces": ["lab", "other", "lab"]}, ("namespaces", "0", "2")),
    ({"namespaces": ["lab.a"]}, ("namespaces", "0", "pattern")),
    ({"imagePullSecrets": ["pull", "pull"]}, ("imagePullSecrets", "0", "1")),
    ({"image": {"digest": "latest"}}, ("digest", "latest")),
    ({"image": {"repository": "registry/lab operator"}}, ("image", "repository", "pattern")),
    ({"renderer": {"image": {"tag": "a:b"}}}, ("renderer", "tag", "pattern")),
    ({"logLevel": "LOUD"}, ("logLevel", "DEBUG")),
    ({"sweeps": {"allowedImages": ["registry.example/lab/"]}}, ("allowedImages",)),
    ({"sweeps": {"priorityClasses": ["system-node-critical"]}}, ("priorityClasses",)),
    ({"sweeps": {"overlay": {"images": True}}}, ("overlay", "images")),
    ({"sweeps": {"overlay": {"hostAccess": True}}}, ("overlay", "hostAccess")),
    ({"sweeps": {"overlay": {"securityContext": True}}}, ("overlay", "securityContext")),
    ({"lease": {"durationSeconds": 60}}, ("durationSeconds", "15")),
    ({"sweeps": {"scratchSize": "banana"}}, ("scratchSize", QUANTITY)),
    ({"sweeps": {"renderResources": {"requests": {"cpu": "two"}}}}, ("renderResources", "cpu", QUANTITY)),
    ({"sweeps": {"jobResources": {"limits": {"memory": "2 GB"}}}}, ("jobResources", "memory", QUANTITY)),
    ({"resources": {"limits": {"memory": "1gb"}}}, ("resources", "memory", QUANTITY)),
    ({"fullnameOverride": "Synth"}, ("fullnameOverride", "pattern")),
    ({"fullnameOverride": LONG}, ("fullnameOverride", "pattern")),
    ({"nameOverride": "1st"}, ("nameOverride", "pattern")),
    ({"serviceAccount": {"name": "my account"}}, ("serviceAccount", "name", "pattern")),
    ({"priorityClassName": "very_high"}, ("priorityClassName", "pattern")),
    ({"priorityClass": {"value": 2_000_000_000}}, ("priorityClass", "value", "1")),
    ({"commonLabels": {"team": "two words"}}, ("commonLabels", "team", "pattern")),
    ({"podLabels": {"team": "a" * 64}}, ("podLabels", "team", "pattern")),
    ({"extraEnv": [{"value": "x"}]}, ("extraEnv", "0", "name")),
    ({"extraVolumes": [{"emptyDir": {}}]}, ("extraVolumes", "0", "name")),
    ({"strategy": {"type": "BlueGreen"}}, ("strategy", "type", "Recreate")),
    ({"probes": {"liveness": {"periodSeconds": 0}}}, ("liveness", "periodSeconds", "1")),
]


@pytest.mark.parametrize(("values", "words"), REFUSED, ids=lambda value: str(value)[:40])
def test_wrong_values_are_refused_by_name(helm: Helm, values: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(Exception, match="schema") as refused:
        helm.render(values)
    missing = [word for word in words if word not in str(refused.value)]
    # Helm 3 names the key and the rule, not the value it met.
    assert missing in ([], ["latest"]), str(refused.value)


def build_mounts(path: str, name: str = "ca") -> dict[str, Any]:
    return {
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": name, "mountPath": path}],
    }


RESERVED = "the label app.kubernetes.io/name belongs to the chart, which finds its objects by it; take it out"
IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"metrics": {"port": 8081}}, "metrics.port and health.port must differ, both are 8081"),
    (
        {"metrics": {"service": False, "serviceMonitor": {"enabled": True}}},
        "metrics.serviceMonitor.enabled needs metrics.service",
    ),
    (
        {"sweeps": {"output": {**STORE, "secretRef": {"name": "a"}, "serviceAccountName": "b"}}},
        "sweeps.output is opened by either secretRef or serviceAccountName; take one of them out",
    ),
    ({"podLabels": {"app.kubernetes.io/name": "x"}}, f"podLabels: {RESERVED}"),
    ({"commonLabels": {"app.kubernetes.io/name": "x"}}, f"commonLabels: {RESERVED}"),
    (
        {"metrics": {"alerts": {"labels": {"app.kubernetes.io/name": "x"}}}},
        f"metrics.alerts.labels: {RESERVED}",
    ),
    (
        {"podLabels": {"two words": "x"}},
        "podLabels: 'two words' is no name of a label; use at most 63 letters, digits, '-', '_' and '.'",
    ),
    ({"extraEnv": [{"name": "HOME"}]}, "extraEnv: the name HOME belongs to the chart; choose another"),
    ({"extraEnv": [{"name": "A"}, {"name": "A"}]}, "extraEnv: the name A occurs twice; take one of them out"),
    ({"extraVolumes": [{"name": "scratch"}]}, "extraVolumes: the name scratch belongs to the chart; choose another"),
    (build_mounts("/tmp"), "extraVolumeMounts: the mountPath /tmp belongs to the chart; choose another"),
    (build_mounts("/ca", "cb"), "extraVolumeMounts: there is no volume 'cb'; add it to extraVolumes"),
    (
        {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
        "strategy.rollingUpdate has no meaning with strategy.type: Recreate; take one of them out",
    ),
    (
        {"priorityClassName": "system-node-critical", "priorityClass": {"create": True}},
        "priorityClass.create: Kubernetes reserves names that begin with 'system-', such as 'system-node-critical'; "
        "set priorityClassName",
    ),
]


@pytest.mark.parametrize(("values", "sentence"), IMPOSSIBLE, ids=lambda value: str(value)[:40])
def test_values_that_cannot_work_together_are_refused(helm: Helm, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Exception, match=re.escape(sentence)):
        helm.render(values)


def test_a_release_whose_name_no_service_may_have_is_refused(helm: Helm) -> None:
    options = ("template", "lab.a", str(CHART), "--kube-version", "1.35.4")
    with pytest.raises(Exception, match=r"makes 'lab\.a-synth-operator' .* set fullnameOverride to lower-case letters"):
        helm.run(*options)
    assert "name: lab\n" in helm.run(*options, "--set", "fullnameOverride=lab")


def test_the_longest_release_has_names_that_services_may_have(helm: Helm) -> None:
    text = helm.run("template", "r" * 53, str(CHART), "--kube-version", "1.35.4")
    (service,) = (each for each in yaml.safe_load_all(text) if each and each["kind"] == "Service")
    assert len(service["metadata"]["name"]) <= 63


def test_the_schema_matches_its_models() -> None:
    import chart_schema

    assert chart_schema.TARGET.read_text(encoding="utf-8") == chart_schema.format_schema(), "run tools/chart_schema.py"


def test_the_schema_and_the_values_have_the_same_keys() -> None:
    import chart_schema

    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    properties = chart_schema.build_schema()["properties"]
    assert set(values) == set(properties)
    assert set(values["sweeps"]) == set(properties["sweeps"]["properties"])


def test_the_page_of_the_values_is_current_and_explains_each() -> None:
    import chart_readme

    assert chart_readme.TARGET.read_text(encoding="utf-8") == chart_readme.format_readme(), "run tools/chart_readme.py"
    values = chart_readme.read_values((CHART / "values.yaml").read_text(encoding="utf-8"))
    meanings = {each.path: each.meaning for each in values}
    assert len(meanings) > 100
    assert [path for path in meanings if not any(meanings.get(group) for group in groups_of(path))] == []


def groups_of(path: str) -> list[str]:
    """Return a value's path and those of the groups that contain it."""
    words = path.split(".")
    return [".".join(words[:end]) for end in range(1, len(words) + 1)]


def test_artifact_hub_shows_the_definitions_and_an_icon_of_the_repository() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    notes = {key.partition("/")[2]: value for key, value in chart["annotations"].items()}
    shown = {(each["name"], each["kind"], each["version"]) for each in yaml.safe_load(notes["crds"])}
    installed = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "crds").glob("*.yaml")]
    assert shown == {
        (each["metadata"]["name"], each["spec"]["names"]["kind"], version["name"])
        for each in installed
        for version in each["spec"]["versions"]
    }
    repository = chart["sources"][0]
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    files = [chart["icon"].removeprefix(f"{raw}/main/")]
    files += [each["url"].removeprefix(f"{repository}/blob/main/") for each in yaml.safe_load(notes["links"])]
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert ElementTree.parse(CHART / "icon.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
