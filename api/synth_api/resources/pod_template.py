"""What the pod template of a sweep may set: each model lists the fields that are allowed, and refuses all others.

The API server stores other fields too, because an operator that trusts its users takes any pod template.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from synth_api.errors import InputError
from synth_api.resources.base import Part
from synth_api.resources.output import ObjectName
from synth_api.resources.reserved_names import TRUSTED, check_annotation, check_label, check_literal, check_variable
from synth_api.resources.text_formats import QUANTITY, check_quantity

OPEN: Final[JsonDict] = {"x-kubernetes-preserve-unknown-fields": True}
"""Keyword of a schema whose objects keep fields that it does not list."""

Quantity = Annotated[int | str, AfterValidator(check_quantity), Field(json_schema_extra=QUANTITY.to_json_schema())]
LabelKey = Annotated[str, AfterValidator(check_label)]
AnnotationKey = Annotated[str, AfterValidator(check_annotation)]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
Item = TypeVar("Item")
Several = Annotated[tuple[Item, ...], Field(max_length=64)]


class Toleration(Part):
    """As in a Pod."""

    key: str | None = None
    """Taint key; without it every key."""
    operator: Literal["Exists", "Equal"] | None = None
    """Comparison of value."""
    value: str | None = None
    """Taint value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Taint effect; without it every effect."""
    toleration_seconds: int | None = None
    """Seconds for which a NoExecute taint is tolerated."""

    def covers(self, other: Toleration) -> bool:
        """Return True if this one tolerates every taint that `other` tolerates, for at least as long."""
        if self.toleration_seconds is not None and (
            other.toleration_seconds is None or other.toleration_seconds > self.toleration_seconds
        ):
            return False
        if self.effect and other.effect != self.effect:
            return False
        if self.operator == "Exists":
            return not self.key or other.key == self.key
        return other.operator != "Exists" and (self.key, self.value or "") == (other.key, other.value or "")


class Resources(Part):
    """Resources of the render container, as in a Pod."""

    requests: dict[str, Quantity] | None = None
    """Requested resources."""
    limits: dict[str, Quantity] | None = None
    """Limits of resources."""


class OverlayPart(Part):
    """Part of a pod template whose other fields the API server keeps."""

    model_config = ConfigDict(json_schema_extra=OPEN)


class SelectorRequirement(OverlayPart):
    """A condition on one label."""

    key: str
    """Key of the label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """Comparison; Gt and Lt only of nodes."""
    values: Several[str] | None = None
    """Values that it is compared with."""


class LabelSelector(OverlayPart):
    """Pods, by their labels."""

    match_labels: dict[str, str] | None = None
    """Labels that a pod has."""
    match_expressions: Several[SelectorRequirement] | None = None
    """Conditions on its labels."""


class NodeSelectorTerm(OverlayPart):
    """Nodes, by their labels and fields."""

    match_expressions: Several[SelectorRequirement] | None = None
    """Conditions on its labels."""
    match_fields: Several[SelectorRequirement] | None = None
    """Conditions on its fields."""


class NodeSelector(OverlayPart):
    """Terms of which a node meets one."""

    node_selector_terms: Several[NodeSelectorTerm]
    """The terms."""


class PreferredNodes(OverlayPart):
    """Nodes that are preferred, with a weight."""

    weight: int
    """Its weight, 1 to 100."""
    preference: NodeSelectorTerm
    """The nodes."""


class NodeAffinity(OverlayPart):
    """Nodes that the pods want."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """Nodes to which the pods are confined."""
    preferred_during_scheduling_ignored_during_execution: Several[PreferredNodes] | None = None
    """Nodes that are preferred."""


class PodAffinityTerm(OverlayPart):
    """Pods of the sweep's namespace, and how near they are; those of other namespaces are not for it to select."""

    topology_key: str
    """Label of nodes whose equal value means near."""
    label_selector: LabelSelector | None = None
    """The pods."""
    match_label_keys: Several[str] | None = None
    """Labels whose values must be those of the render pod."""
    mismatch_label_keys: Several[str] | None = None
    """Labels whose values must not be those of the render pod."""


class PreferredPods(OverlayPart):
    """Pods whose neighbourhood is preferred, with a weight."""

    weight: int
    """Its weight, 1 to 100."""
    pod_affinity_term: PodAffinityTerm
    """The pods."""


class PodAffinity(OverlayPart):
    """Pods whose neighbourhood is wanted, or avoided."""

    required_during_scheduling_ignored_during_execution: Several[PodAffinityTerm] | None = None
    """Terms that are met."""
    preferred_during_scheduling_ignored_during_execution: Several[PreferredPods] | None = None
    """Terms that are preferred."""


class Affinity(OverlayPart):
    """Placement by nodes and by other pods of the namespace, as in a Pod."""

    node_affinity: NodeAffinity | None = None
    """Nodes that the pods want."""
    pod_affinity: PodAffinity | None = None
    """Pods whose neighbourhood is wanted."""
    pod_anti_affinity: PodAffinity | None = None
    """Pods whose neighbourhood is avoided."""


class TopologySpread(OverlayPart):
    """Spread of pods over parts of the cluster, as in a Pod."""

    max_skew: int
    """Difference of numbers of pods that is tolerated."""
    topology_key: str
    """Label of nodes; each of its values is a part."""
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    """Whether a pod waits."""
    label_selector: LabelSelector | None = None
    """Pods that are counted."""
    min_domains: int | None = None
    """Least number of parts."""
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    """Whether node selectors count."""
    node_taints_policy: Literal["Honor", "Ignore"] | None = None
    """Whether taints count."""
    match_label_keys: Several[str] | None = None
    """Labels whose values must be those of the render pod."""


class Variable(OverlayPart):
    """Environment variable with a literal value."""

    name: Annotated[str, AfterValidator(check_variable)]
    """Its name, outside the reserved ones."""
    value: Annotated[str, AfterValidator(check_literal)] = ""
    """Its value, without `$(…)`."""


class VolumeMount(OverlayPart):
    """A volume of the pod template in the container."""

    name: str
    """The volume."""
    mount_path: str
    """Folder below /mnt."""
    read_only: bool | None = None
    """True if the container may not write."""
    sub_path: str | None = None
    """Folder in the volume."""

    @model_validator(mode="after")
    def _is_below_mnt(self) -> VolumeMount:
        folders = self.mount_path.split("/")
        if folders[:2] != ["", "mnt"] or not folders[2:] or {"", ".", ".."} & {*folders[2:]}:
            raise InputError("", f"mountPath must be a folder below /mnt, not '{self.mount_path}'; {TRUSTED}")
        return self


class RenderContainer(OverlayPart):
    """The container `render`, the only one that can be changed."""

    name: Literal["render"]
    """`render`."""
    env: Several[Variable] = ()
    """Environment variables with literal values."""
    resources: Annotated[Resources | None, Field(json_schema_extra=OPEN)] = None
    """Resources of the container; `spec.resources` says the same."""
    volume_mounts: Several[VolumeMount] = ()
    """Where the volumes are."""


class ClaimSource(OverlayPart):
    """A PersistentVolumeClaim of the sweep's namespace."""

    claim_name: str
    """Its name, one of `sweeps.overlay.claims` of the chart."""
    read_only: bool | None = None
    """True if nothing may write."""


class ClaimVolume(OverlayPart):
    """Volume of the pods: a claim that the chart allows."""

    name: ObjectName
    """Its name, other than input, scratch and ca."""
    persistent_volume_claim: ClaimSource | None = None
    """The claim."""

    @model_validator(mode="after")
    def _is_a_claim(self) -> ClaimVolume:
        if self.name in ("input", "scratch", "ca"):
            raise InputError("", f"the volume '{self.name}' belongs to the operator; choose another name")
        if self.persistent_volume_claim is None:
            raise InputError("", f"the volume '{self.name}' has no persistentVolumeClaim; {TRUSTED}")
        return self


class PullSecret(OverlayPart):
    """Secret with which images are pulled."""

    name: ObjectName
    """Its name, in the sweep's namespace."""


class OverlayMetadata(OverlayPart):
    """Labels and annotations of the render pods, outside reserved domains."""

    labels: dict[LabelKey, LabelValue] = Field(default={})
    """Labels, outside kubernetes.io, k8s.io, x-k8s.io and synth-operator.io."""
    annotations: dict[AnnotationKey, str] = Field(default={})
    """Annotations, outside these domains too; but cluster-autoscaler.kubernetes.io/safe-to-evict."""


class OverlaySpec(OverlayPart):
    """Placement, resources, environment and claims of the render pods."""

    node_selector: dict[str, LabelValue] | None = None
    """Labels of the nodes."""
    affinity: Affinity | None = None
    """Placement by nodes and by other pods of the namespace."""
    topology_spread_constraints: Several[TopologySpread] = ()
    """Spread over parts of the cluster, beside the operator's own over nodes."""
    tolerations: Several[Toleration] = ()
    """Taints that are tolerated, of `sweeps.overlay.tolerations` and `sweeps.gpu.tolerations` of the chart."""
    priority_class_name: ObjectName | None = None
    """Priority class, one of `sweeps.priorityClasses` of the chart."""
    runtime_class_name: ObjectName | None = None
    """Runtime class."""
    image_pull_secrets: Several[PullSecret] = ()
    """Secrets with which images are pulled, beside the operator's own."""
    volumes: Several[ClaimVolume] = ()
    """Claims, of `sweeps.overlay.claims` of the chart."""
    containers: Annotated[tuple[RenderContainer, ...], Field(max_length=1)] = ()
    """The container `render`, the only one that can be changed."""

    @model_validator(mode="after")
    def _has_the_mounted_volumes(self) -> OverlaySpec:
        names = {volume.name for volume in self.volumes}
        for mount in (mount for container in self.containers for mount in container.volume_mounts):
            if mount.name not in names:
                raise InputError("", f"volumeMounts name '{mount.name}', which is none of its volumes; add it there")
        return self


class PodTemplate(OverlayPart):
    """Overlay of the render pods' template. Other fields than these need `sweeps.overlay.trusted` of the chart."""

    metadata: OverlayMetadata = Field(default_factory=OverlayMetadata)
    """Labels and annotations."""
    spec: OverlaySpec = Field(default_factory=OverlaySpec)
    """Placement, resources, environment and claims."""


class PodTemplateSchema:
    """Annotation of a mapping: the API server shows and checks the fields of PodTemplate and keeps all others."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON schema of PodTemplate."""
        return handler(PodTemplate.__pydantic_core_schema__)
