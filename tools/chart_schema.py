"""Write charts/synth-operator/values.schema.json from the models of the operator's configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from synth_api.resources.base import Part
from synth_api.resources.output import ObjectName
from synth_api.resources.pod_template import Quantity
from synth_operator.configuration import Configuration, LimitsByNamespace, NamespaceName

TARGET = Path(__file__).parent.parent / "charts/synth-operator/values.schema.json"
SWEEP_KEYS = (
    "output",
    "allowedImages",
    "allowedServiceAccounts",
    "allowedEndpoints",
    "priorityClasses",
    "overlay",
    "gpu",
    "renderResources",
    "jobResources",
    "scratchSize",
    "terminationGracePeriodSeconds",
    "imagePullSecrets",
)
"""Keys of the operator's configuration that are values under `sweeps`."""

Port = Annotated[int, Field(ge=1, le=65535)]
Interval = Annotated[str, Field(pattern=r"^([0-9]+(ms|s|m|h))+$")]
UNIQUE = Field(json_schema_extra={"uniqueItems": True})
Names = Annotated[tuple[ObjectName, ...], UNIQUE]
ShortName = Annotated[str, Field(pattern=r"^([a-z]([-a-z0-9]{0,50}[a-z0-9])?)?$")]
"""Name to which the chart appends the names of its parts; with them it is still the name of a Service."""
LongName = Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$")]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")]
Labels = dict[str, LabelValue]
Words = dict[str, str]
Free = dict[str, Any]
Seconds = Annotated[int, Field(ge=1, le=3600)]
NAMED = {"required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}}
MOUNTED = {
    "required": ["name", "mountPath"],
    "properties": {key: {"type": "string", "minLength": 1} for key in ("name", "mountPath")},
}
Named = Annotated[Free, Field(json_schema_extra=NAMED)]
Mounted = Annotated[Free, Field(json_schema_extra=MOUNTED)]


class Global(Part):
    """Values that an umbrella chart gives to all its charts."""

    image_registry: Annotated[
        str, Field(pattern=r"^([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)*)?$")
    ]
    """Registry of both images, with or without a path; empty: that in `repository`."""


class Image(Part):
    """Repository, tag and digest of an image."""

    repository: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)*$")]
    """Registry and name, without a tag."""
    tag: Annotated[str, Field(pattern=r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$")] = ""
    """Empty: the chart's appVersion."""
    digest: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""
    """Digest that replaces the tag."""


class OperatorImage(Image):
    """Image of the operator and of the plan, finalize and delete Jobs."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Pull policy of the operator and of all Jobs."""


class Renderer(Part):
    """Image of the render Jobs."""

    image: Image


class Lease(Part):
    """Lease of the leader election."""

    duration_seconds: Annotated[int, Field(ge=3, le=15)]
    """Seconds that the lease is valid without a renewal."""


class Crds(Part):
    """Handling of the custom resource definitions."""

    install: bool
    """Install and upgrade them with the chart."""
    keep: bool
    """Keep them on uninstall."""


class Rbac(Part):
    """Roles of the operator and of users."""

    create: bool
    """Create the roles of the operator."""
    user_roles: bool
    """Aggregate rights on sweeps and recipes to view, edit and admin."""


class ServiceAccount(Part):
    """Service account of the operator's pods."""

    create: bool
    name: LongName
    """Empty: the release's name."""
    annotations: Words


class Switch(Part):
    """Optional object of the chart."""

    enabled: bool


class Monitor(Switch):
    """Monitor for the Prometheus operator."""

    interval: Interval
    labels: Labels


class Alerts(Switch):
    """PrometheusRule with the alerts."""

    labels: Labels


class Dashboard(Switch):
    """ConfigMap with the dashboard for Grafana's sidecar."""

    labels: Labels
    annotations: Words


class Metrics(Part):
    """Metrics endpoint and objects for Prometheus and Grafana."""

    port: Port
    service: bool
    """Create a headless Service."""
    pod_monitor: Monitor
    service_monitor: Monitor
    alerts: Alerts
    dashboard: Dashboard


class Health(Part):
    """Endpoints of the liveness and readiness probes."""

    port: Port


class JobNetworkPolicy(Switch):
    """Network policy of the pods of sweeps, in each namespace."""

    namespaces: Annotated[tuple[NamespaceName, ...], UNIQUE]
    """Empty: those whose sweeps are reconciled."""
    store_to: tuple[Free, ...]
    """The store, as `to` of a NetworkPolicy; empty: as the default endpoint says."""
    store_ports: tuple[Port, ...]
    """Empty: that of the default endpoint."""
    dns_to: Annotated[tuple[Free, ...], Field(min_length=1)]
    """The name servers, as `to` of a NetworkPolicy."""
    dns_ports: Annotated[tuple[Port, ...], Field(min_length=1)]


class NetworkPolicy(Switch):
    """Network policy of the operator's pods, and that of the pods of sweeps."""

    api_server_ports: tuple[Port, ...]
    metrics_from: tuple[Free, ...]
    """As `from` of a NetworkPolicy; empty: all pods of the cluster."""
    jobs: JobNetworkPolicy


class IssuerRef(Part):
    """Issuer of cert-manager."""

    name: ObjectName
    kind: str = "Issuer"
    group: str = "cert-manager.io"


class CertManager(Switch):
    """Certificate of the webhook from cert-manager."""

    issuer_ref: IssuerRef | None = None
    """Null: an issuer that signs the certificate with itself is created."""


class PodResources(Part):
    """Resource requests and limits, as in a container."""

    requests: dict[str, Quantity] = Field(default={})
    limits: dict[str, Quantity] = Field(default={})


class AdmissionWebhook(Switch):
    """Validating webhook, in pods of its own."""

    replicas: Annotated[int, Field(ge=1, le=5)]
    failure_policy: Literal["Ignore", "Fail"]
    """What happens to a write while no replica answers."""
    timeout_seconds: Annotated[int, Field(ge=1, le=30)]
    port: Port
    cert_manager: CertManager
    resources: PodResources


class PriorityClass(Part):
    """Priority class of the operator's pods."""

    create: bool
    value: Annotated[int, Field(ge=-2_147_483_648, le=1_000_000_000)]
    """Its priority."""


class RollingUpdate(Part):
    """Pods above and below the number of replicas during an update."""

    max_surge: int | str = 1
    max_unavailable: int | str = 0


class Strategy(Part):
    """Update strategy of a Deployment."""

    type: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    rolling_update: RollingUpdate | None = None


class Probe(Part):
    """Times of a probe, as in a container."""

    initial_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    period_seconds: Seconds
    timeout_seconds: Seconds
    failure_threshold: Annotated[int, Field(ge=1, le=1000)]


class Probes(Part):
    """Probes of the operator's container."""

    startup: Probe
    liveness: Probe
    readiness: Probe


class EnvVar(Part):
    """Variable of the environment, as in a container."""

    name: Annotated[str, Field(min_length=1)]
    value: str = ""
    value_from: Free | None = None
    """Source of the value, instead of a text."""


class Test(Part):
    """The sweep of `helm test`."""

    namespace: Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$")]
    """Empty: the first of `namespaces`, else the release's."""
    spec: Free
    """Fields of the sweep's spec beside the recipe."""
    timeout_seconds: Annotated[int, Field(ge=10, le=3600)]
    """Seconds until the test fails."""


class Values(Part):
    """Values of the chart synth-operator; `sweeps` comes from the operator's configuration."""

    global_: Annotated[Global, Field(alias="global")]
    replicas: Annotated[int, Field(ge=1, le=5)]
    image: OperatorImage
    renderer: Renderer
    image_pull_secrets: Names
    namespaces: Annotated[tuple[NamespaceName, ...], UNIQUE]
    sweeps: Free
    limits: LimitsByNamespace
    workers: Annotated[int, Field(ge=1, le=64)]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    lease: Lease
    crds: Crds
    rbac: Rbac
    service_account: ServiceAccount
    metrics: Metrics
    health: Health
    network_policy: NetworkPolicy
    admission_webhook: AdmissionWebhook
    pod_disruption_budget: Switch
    resources: PodResources
    node_selector: Labels
    tolerations: tuple[Free, ...]
    affinity: Free
    topology_spread_constraints: tuple[Free, ...]
    priority_class_name: LongName
    priority_class: PriorityClass
    strategy: Strategy
    probes: Probes
    extra_args: tuple[str, ...]
    extra_env: tuple[EnvVar, ...]
    extra_volumes: tuple[Named, ...]
    extra_volume_mounts: tuple[Mounted, ...]
    pod_annotations: Words
    pod_labels: Labels
    common_labels: Labels
    test: Test
    name_override: ShortName
    fullname_override: ShortName


def build_schema() -> dict[str, Any]:
    """Return the JSON schema of the chart's values."""
    values = Values.model_json_schema(by_alias=True)
    configuration = Configuration.model_json_schema(by_alias=True)
    values["$defs"] |= {name: part for name, part in configuration["$defs"].items() if name not in values["$defs"]}
    values["properties"]["sweeps"] = {
        "type": "object",
        "description": "Defaults and permissions of sweeps.",
        "additionalProperties": False,
        "properties": {key: configuration["properties"][key] for key in SWEEP_KEYS},
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_strip_titles(values)}


def _strip_titles(tree: Any) -> Any:
    """Return a schema without titles and defaults, which values.yaml has."""
    if isinstance(tree, list):
        return [_strip_titles(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        key: {name: _strip_titles(part) for name, part in value.items()}
        if key in {"properties", "$defs"}
        else _strip_titles(value)
        for key, value in tree.items()
        if key not in {"title", "default"}
    }


def format_schema() -> str:
    """Return the content of the file."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(format_schema(), encoding="utf-8") and 0)
