"""Writes charts/synth-operator/values.schema.json: what values may be, from the models that the operator reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from synth_api.resources.base import Part
from synth_api.resources.output import ObjectName
from synth_operator.configuration import Configuration

TARGET = Path(__file__).parent.parent / "charts/synth-operator/values.schema.json"
OF_SWEEPS = (
    "output",
    "allowedImages",
    "allowedServiceAccounts",
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
Words = dict[str, str]
Free = dict[str, Any]


class Image(Part):
    """An image and where it comes from."""

    repository: Annotated[str, Field(min_length=1)]
    """Registry and name, without a tag."""
    tag: str = ""
    """Empty: the chart's appVersion."""
    digest: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""
    """Takes the tag's place."""


class OperatorImage(Image):
    """Image of the operator and of the small Jobs."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Of the operator and of all Jobs."""


class Renderer(Part):
    """What renders."""

    image: Image


class Lease(Part):
    """Leadership."""

    duration_seconds: Annotated[int, Field(ge=3, le=15)]
    """A leader that says nothing for so long is replaced."""


class Crds(Part):
    """Custom resource definitions."""

    install: bool
    """Installs and upgrades them with the chart."""
    keep: bool
    """They outlive the release."""


class Rbac(Part):
    """Roles."""

    create: bool
    """Of the operator."""
    user_roles: bool
    """Adds sweeps and recipes to view, edit and admin."""


class ServiceAccount(Part):
    """Whom the operator acts as."""

    create: bool
    name: Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$")]
    """Empty: the release's name."""
    annotations: Words


class Switch(Part):
    """An object that is made or not."""

    enabled: bool


class Monitor(Switch):
    """Of the Prometheus operator."""

    interval: Interval
    labels: Words


class Alerts(Switch):
    """A PrometheusRule."""

    labels: Words


class Dashboard(Switch):
    """A ConfigMap for Grafana's sidecar."""

    labels: Words
    annotations: Words


class Metrics(Part):
    """What Prometheus and Grafana find."""

    port: Port
    service: bool
    """A headless Service."""
    pod_monitor: Monitor
    service_monitor: Monitor
    alerts: Alerts
    dashboard: Dashboard


class Health(Part):
    """Probes."""

    port: Port


class NetworkPolicy(Switch):
    """What the operator may be reached by and reach."""

    api_server_ports: tuple[Port, ...]
    metrics_from: tuple[Free, ...]
    """As `from` of a NetworkPolicy; empty: everyone in the cluster."""


class PodResources(Part):
    """As in a container."""

    requests: dict[str, int | str] = Field(default={})
    limits: dict[str, int | str] = Field(default={})


class Values(Part):
    """Values of the chart synth-operator; `sweeps` comes from the operator's configuration."""

    replicas: Annotated[int, Field(ge=1, le=5)]
    image: OperatorImage
    renderer: Renderer
    image_pull_secrets: tuple[ObjectName, ...]
    namespaces: tuple[ObjectName, ...]
    sweeps: Free
    workers: Annotated[int, Field(ge=1, le=64)]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    lease: Lease
    crds: Crds
    rbac: Rbac
    service_account: ServiceAccount
    metrics: Metrics
    health: Health
    network_policy: NetworkPolicy
    pod_disruption_budget: Switch
    resources: PodResources
    node_selector: Words
    tolerations: tuple[Free, ...]
    affinity: Free
    priority_class_name: str
    pod_annotations: Words
    pod_labels: Words
    name_override: str
    fullname_override: str
    global_: Annotated[Free, Field(alias="global")] = Field(default={})
    """Helm gives it to subcharts."""


def schema() -> dict[str, Any]:
    """The JSON schema of the chart's values."""
    values = Values.model_json_schema(by_alias=True)
    configuration = Configuration.model_json_schema(by_alias=True)
    values["$defs"] |= {name: part for name, part in configuration["$defs"].items() if name not in values["$defs"]}
    values["properties"]["sweeps"] = {
        "type": "object",
        "description": "What sweeps get when they do not say, and what they may say.",
        "additionalProperties": False,
        "properties": {key: configuration["properties"][key] for key in OF_SWEEPS},
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_plain(values)}


def _plain(tree: Any) -> Any:
    """Without titles and defaults: values.yaml has them."""
    if isinstance(tree, list):
        return [_plain(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        key: {name: _plain(part) for name, part in value.items()} if key in {"properties", "$defs"} else _plain(value)
        for key, value in tree.items()
        if key not in {"title", "default"}
    }


def text() -> str:
    """As the file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") and 0)
