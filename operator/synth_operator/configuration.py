"""How the operator is configured: a YAML file that the chart mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from synth_api.errors import InputError, nearest
from synth_api.problems import input_error
from synth_api.resources.base import Part
from synth_api.resources.output import ObjectName, Output
from synth_api.resources.synth_sweep import Quantity, Resources, Toleration

if TYPE_CHECKING:
    from pathlib import Path

Image = Annotated[str, Field(min_length=1, max_length=512)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _namespaces(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


class GpuDefaults(Part):
    """What a sweep's `gpu` block leaves out."""

    resource_name: str = "nvidia.com/gpu"
    """Extended resource that the nodes offer."""
    node_selector: dict[str, str] = Field(default={})
    """Labels of the GPU nodes."""
    tolerations: tuple[Toleration, ...] = (Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule"),)
    """Taints of the GPU nodes."""
    runtime_class_name: ObjectName | None = None
    """Runtime class of the GPU pods."""


class OverlayPolicy(Part):
    """What the pod template overlay of a sweep may do beyond the harmless."""

    images: bool = False
    """Whether containers may run any image, not only those with an allowed prefix."""
    host_access: bool = False
    """Whether host paths, host ports and the host's namespaces may be used."""
    security_context: bool = False
    """Whether the security context may be weaker than Pod Security `restricted`."""


class Lease(Part):
    """The Lease that says which replica works."""

    name: ObjectName = "synth-operator"
    """Its name."""
    namespace: ObjectName
    """Its namespace: the operator's own."""
    duration_seconds: Annotated[int, Field(ge=3, le=15)] = 15
    """How long a leader that says nothing remains leader."""


class Configuration(Part):
    """Everything that the installation decides; sweeps decide the rest."""

    namespaces: Annotated[tuple[ObjectName, ...], AfterValidator(_namespaces)] = ()
    """Namespaces whose sweeps are worked on; none: all."""
    operator_image: Image
    """Image of the plan, finalize and delete Jobs: the operator's own."""
    renderer_image: Image
    """Image of the render Jobs, unless the sweep names another one."""
    allowed_images: tuple[str, ...] = ()
    """Prefixes of images that sweeps may name: `registry.example/lab/`; `rendererImage` is always allowed."""
    allowed_service_accounts: tuple[ObjectName, ...] = ()
    """Service accounts that sweeps may name for access to their store."""
    overlay: OverlayPolicy = OverlayPolicy()
    """What pod template overlays may do."""
    gpu: GpuDefaults = GpuDefaults()
    """Defaults of GPU pods."""
    render_resources: Resources = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"memory": "8Gi"})
    """Resources of render pods, unless the sweep says otherwise."""
    job_resources: Resources = Resources(requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "2Gi"})
    """Resources of plan, finalize and delete pods."""
    scratch_size: Quantity = "16Gi"
    """Limit of the render pods' scratch volume; the small Jobs' is the same."""
    termination_grace_period_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Seconds that a render pod has to end after it was told to."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Of all Jobs."""
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Secrets in the sweeps' namespaces with which the images are pulled."""
    output: Output | None = None
    """Where datasets go, unless the sweep says otherwise."""
    lease: Lease
    """Leadership."""
    health_port: Port = 8081
    """`/healthz` and `/readyz`."""
    metrics_port: Port = 8080
    """`/metrics`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Sweeps that are worked on at a time."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.health_port == self.metrics_port:
            raise InputError("", f"healthPort and metricsPort must differ, both are {self.health_port}")
        return self

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """The configuration in a YAML file.

        Raises:
            InputError: it cannot be read, or a key, type or value is wrong.
        """
        try:
            tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(str(path), f"cannot be read: {error}") from error
        except yaml.YAMLError as error:
            raise InputError(str(path), f"is no YAML: {' '.join(str(error).split())}") from error
        try:
            return cls.of(tree)
        except InputError as error:
            raise InputError(str(path), str(error)) from error

    @classmethod
    def of(cls, tree: object) -> Configuration:
        """The configuration in a parsed document.

        Raises:
            InputError: a key, type or value is wrong.
        """
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise _sentence(error) from error


def _sentence(error: ValidationError) -> InputError:
    details = error.errors(include_url=False)[0]
    problem = input_error(error)
    match details["type"]:
        case "missing":
            return InputError(problem.path, "is missing; give it a value")
        case "extra_forbidden":
            key = str(details["loc"][-1])
            return InputError(problem.path, f"there is no key '{key}'; {nearest(key, _siblings(details['loc']))}")
        case _:
            return problem


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    model: type[Part] = Configuration
    for word in location[:-1]:
        for field in model.model_fields.values():
            if field.alias == word:
                model = _part(field.annotation)
    return [str(field.alias) for field in model.model_fields.values()]


def _part(annotation: object) -> type[Part]:
    """The model in an annotation such as `tuple[Toleration, ...]` or `Output | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next(_part(argument) for argument in get_args(annotation))
