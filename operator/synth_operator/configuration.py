"""Configuration of the operator: a YAML file that the chart mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from synth_api.errors import InputError, suggest_name
from synth_api.resources.base import Part, explain_part_error, list_keys
from synth_api.resources.default_output import DefaultOutput
from synth_api.resources.endpoints import AllowedEndpoint, covers_endpoint, split_endpoint
from synth_api.resources.image_reference import IMAGE_PATTERN, ImageReference
from synth_api.resources.namespace_limits import NamespaceLimits
from synth_api.resources.output import ObjectName, Output
from synth_api.resources.pod_template import Quantity, Resources, Toleration
from synth_api.resources.text_formats import NAMESPACE

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

Image = Annotated[str, Field(min_length=1, max_length=512)]
Port = Annotated[int, Field(ge=1, le=65535)]
_SYSTEM: Final = "system-"


def is_system_class(name: str) -> bool:
    """Return True for a priority class of Kubernetes' own pods."""
    return name.startswith(_SYSTEM)


def _refuse_system_class(name: str) -> str:
    if is_system_class(name):
        raise ValueError(f"'{name}' belongs to pods of Kubernetes; list other classes")
    return name


PriorityClass = Annotated[
    ObjectName,
    AfterValidator(_refuse_system_class),
    Field(json_schema_extra={"not": {"pattern": f"^{_SYSTEM}"}}),
]


NamespaceName = Annotated[str, AfterValidator(NAMESPACE.check), Field(json_schema_extra=NAMESPACE.to_json_schema())]


def _sort_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError("", f"names '{twice}' twice; take one of them out")
    return tuple(sorted(names))


def _check_image(text: str) -> str:
    ImageReference.parse(text)
    return text


AllowedImage = Annotated[
    str,
    AfterValidator(_check_image),
    Field(max_length=512, json_schema_extra={"pattern": f"^{IMAGE_PATTERN}$"}),
]


class HostFolder(Part):
    """A folder of each node."""

    path: Annotated[str, Field(pattern=r"^/[^\s:]*[^\s:/.]$", max_length=512)]
    """Absolute path; its mode must let users of pods write, as 1777 does."""
    namespaces: tuple[NamespaceName, ...] = ()
    """Namespaces whose Pod Security allows hostPath volumes; empty: all. Pods of others compile on scratch."""


class Claim(Part):
    """A PersistentVolumeClaim in each sweep's namespace."""

    name: ObjectName
    """Its name; pods on several nodes need one that many nodes can write."""


class KernelCacheVolume(Part):
    """Where compiled kernels outlive GPU pods; without `hostPath` and `claim`, on the pod's scratch volume only."""

    host_path: HostFolder | None = None
    """A folder of each node, for the pods on it; Pod Security `baseline` and `restricted` forbid it."""
    claim: Claim | None = None
    """A claim, for the pods of a namespace."""
    size: Quantity = "2Gi"
    """Bound of all compiled kernels of a node's folder or a claim; those used longest ago are removed."""

    @model_validator(mode="after")
    def _is_one_volume(self) -> Self:
        if self.host_path and self.claim:
            raise InputError("", "hostPath and claim exclude each other; leave one of them out")
        return self

    def is_for(self, namespace: str) -> bool:
        """Return True if the GPU pods of a namespace have it."""
        if self.host_path:
            return not self.host_path.namespaces or namespace in self.host_path.namespaces
        return self.claim is not None


class GpuDefaults(Part):
    """Defaults for the `gpu` block of a sweep."""

    resource_name: str = "nvidia.com/gpu"
    """Extended resource of the GPU nodes."""
    node_selector: dict[str, str] = Field(default={})
    """Labels of the GPU nodes."""
    tolerations: tuple[Toleration, ...] = (Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule"),)
    """Taints of the GPU nodes."""
    runtime_class_name: ObjectName | None = None
    """Runtime class of the GPU pods."""
    kernel_cache: KernelCacheVolume = KernelCacheVolume()
    """Where compiled kernels outlive GPU pods."""
    workers_per_pod: Annotated[int, Field(ge=1, le=64)] | None = None
    """Runs that a GPU pod renders at a time; None: as many as its limits allow."""
    startup_seconds: Annotated[int, Field(ge=60, le=86_400)] = 1200
    """Seconds for a pod's GPUs to load Cycles kernels, or for their driver to compile them, until it is unavailable."""
    hourly_price: Annotated[float, Field(ge=0)] | None = None
    """Price of a GPU hour, for the forecast of a sweep's cost; in any currency."""


class OverlayPolicy(Part):
    """What pod template overlays of sweeps may use beyond what needs no permission."""

    tolerations: tuple[Toleration, ...] = ()
    """Taints that overlays and `gpu` blocks may tolerate; those of `gpu.tolerations` may always be."""
    claims: tuple[ObjectName, ...] = ()
    """PersistentVolumeClaims, by their name in a sweep's namespace, that overlays may mount below /mnt."""
    reserved_domains: tuple[str, ...] = (
        "cilium.io",
        "cncf.io",
        "hashicorp.com",
        "istio.io",
        "linkerd.io",
        "projectcalico.org",
    )
    """Domains of labels and annotations by which others change pods, beside those of Kubernetes."""
    trusted: bool = False
    """True if overlays may set everything, with any image and priority class.

    Who may edit sweeps may then run any pod that the namespace's Pod Security allows, and read its Secrets.
    """


class Lease(Part):
    """The Lease whose holder is the leader."""

    name: ObjectName = "synth-operator"
    """Name of the Lease."""
    namespace: NamespaceName
    """Namespace of the Lease: the operator's own."""
    duration_seconds: Annotated[int, Field(ge=3, le=15)] = 15
    """Seconds that a lease is valid without a renewal."""


class LimitsByNamespace(Part):
    """Limits per namespace; what is over waits as `Limited`."""

    default: NamespaceLimits = NamespaceLimits()
    """Limits of every namespace."""
    namespaces: dict[NamespaceName, NamespaceLimits] = Field(
        default={}, json_schema_extra={"additionalProperties": False}
    )
    """Limits of single namespaces, by name; each field replaces the default's, null included."""

    @property
    def is_empty(self) -> bool:
        """True if no namespace has a limit."""
        return all(each == NamespaceLimits() for each in (self.default, *self.namespaces.values()))

    @property
    def has_gpu_hours(self) -> bool:
        """True if the GPU hours of any namespace have a limit."""
        return any(each.gpu_hours_per_day is not None for each in (self.default, *self.namespaces.values()))

    def find(self, namespace: str) -> NamespaceLimits:
        """Return the limits of a namespace."""
        own = self.namespaces.get(namespace, NamespaceLimits())
        return self.default.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


class Configuration(Part):
    """Settings of the installation; the spec of each sweep holds the rest."""

    namespaces: Annotated[
        tuple[NamespaceName, ...], AfterValidator(_sort_unique), Field(json_schema_extra={"uniqueItems": True})
    ] = ()
    """Namespaces whose sweeps are reconciled; empty: all."""
    operator_image: Image
    """Image of all Jobs but render Jobs: the operator image itself."""
    renderer_image: Image
    """Default image of the render Jobs."""
    allowed_images: tuple[AllowedImage, ...] = ()
    """Images that sweeps may name: a repository with all its tags and digests, or one tag or digest of it.

    `rendererImage` is always allowed."""
    allowed_endpoints: tuple[AllowedEndpoint, ...] = ()
    """Endpoints of stores that sweeps may name: `host`, `host:port` or `*.domain`; empty: any."""
    allowed_service_accounts: tuple[ObjectName, ...] = ()
    """Service accounts that sweeps may name for access to their store."""
    priority_classes: tuple[PriorityClass, ...] = ()
    """Priority classes that sweeps may name."""
    overlay: OverlayPolicy = OverlayPolicy()
    """Permissions of pod template overlays."""
    gpu: GpuDefaults = GpuDefaults()
    """Defaults of GPU pods."""
    render_resources: Resources = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"memory": "8Gi"})
    """Default resources of render pods."""
    job_resources: Resources = Resources(requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "2Gi"})
    """Resources of all pods but render pods."""
    scratch_size: Quantity = "16Gi"
    """Size limit of the scratch volume of all pods."""
    termination_grace_period_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Seconds between SIGTERM and SIGKILL for render pods."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Image pull policy of all Jobs."""
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Secrets in the sweeps' namespaces with which the images are pulled."""
    output: DefaultOutput | None = None
    """Default output of sweeps, a folder for each namespace."""
    limits: LimitsByNamespace = LimitsByNamespace()
    """Limits per namespace."""
    lease: Lease
    """Lease of the leader election."""
    health_port: Port = 8081
    """Port of `/healthz` and `/readyz`."""
    metrics_port: Port = 8080
    """Port of `/metrics`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Reconcile threads."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest severity that is logged."""

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.health_port == self.metrics_port:
            raise InputError("", f"healthPort and metricsPort must differ, both are {self.health_port}")
        return self

    def find_output(self, namespace: str) -> Output | None:
        """Return the default output of a namespace's sweeps, if there is one."""
        return self.output.select(namespace) if self.output else None

    def knows_endpoint(self, output: Output) -> bool:
        """Return True if the installation names the endpoint of an output, as its default or as allowed."""
        is_default = self.output is not None and split_endpoint(self.output) == split_endpoint(output)
        return is_default or any(covers_endpoint(allowed, output) for allowed in self.allowed_endpoints)

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """Read the configuration from a YAML file.

        Raises:
            InputError: the file cannot be read, or a key, type or value is wrong.
        """
        try:
            tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(str(path), f"cannot be read: {error}") from error
        except yaml.YAMLError as error:
            raise InputError(str(path), f"is no YAML: {' '.join(str(error).split())}") from error
        try:
            return cls.from_tree(tree)
        except InputError as error:
            raise InputError(str(path), str(error)) from error

    @classmethod
    def from_tree(cls, tree: object) -> Configuration:
        """Return the configuration in a parsed document.

        Raises:
            InputError: a key, type or value is wrong.
        """
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise explain_part_error(error, _describe_unknown_key) from error


def _describe_unknown_key(details: ErrorDetails) -> str:
    key = str(details["loc"][-1])
    return f"there is no key '{key}'; {suggest_name(key, list_keys(Configuration, details['loc'][:-1]))}"
