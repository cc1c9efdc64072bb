"""Sweeps, recipes and datasets as the watches keep them: compressed, with the few fields that are asked often."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeVar

from synth_api.jobs.names import FINALIZER
from synth_api.reasons import Reason
from synth_api.resources.base import GROUP
from synth_api.resources.synth_dataset import DatasetStatus
from synth_api.resources.synth_sweep import DeletionPolicy, SweepStatus
from synth_operator.kube.custom_resource import find_size_problem, read_status, select_fate
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_operator.kube.api import JsonObject

Kind = TypeVar("Kind", SweepObject, RecipeObject, DatasetObject)

MAX_PACKED_BYTES: Final = 16 * 1024
"""Of one compressed spec; an object with a larger one is read from the API when it is needed."""
_LEVEL: Final = 1
_FIELDS: Final = (
    *("namespace", "name", "uid", "generation", "resourceVersion", "creationTimestamp", "deletionTimestamp"),
    "finalizers",
)


_OPEN_REASONS: Final = (Reason.RECIPE_DRIFTED, Reason.INTERNAL_ERROR)
"""Reasons in conditions of a finished sweep that another pass may take back."""


class FinishedPlan(NamedTuple):
    """What a finished sweep without open ends was planned from."""

    engine_version: int
    recipe_digest: str


@dataclass(frozen=True, slots=True)
class PackedObject:
    """A sweep, recipe or dataset in one version."""

    namespace: str
    name: str
    uid: str
    version: int
    """Its resource version."""
    rest: bytes
    """Its metadata and status as compressed JSON."""
    spec: bytes | None
    """Its spec as compressed JSON; None if that is too large."""
    problem: str = ""
    """Why its spec cannot be read, if it is too deep or too long; `spec` has output and deletion policy alone then."""
    recipe: str = ""
    """Name of the SynthRecipe that a sweep refers to."""
    sweeps: tuple[str, ...] = ()
    """Names of the SynthSweeps that a dataset refers to."""
    finished: FinishedPlan | None = None
    """None for a recipe or dataset, and for a sweep that may need something more."""

    @classmethod
    def pack(cls, body: Mapping[str, Any]) -> Self:
        """Return the object in the API's JSON, without the fields that nobody asks for."""
        metadata, problem, status = body["metadata"], find_size_problem(body), body.get("status") or {}
        spec = select_fate(body) if problem else body.get("spec", {})
        packed_spec = _compress(spec)
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            version=int(metadata["resourceVersion"]),
            rest=_compress({"metadata": _select_metadata(metadata), "status": status}),
            spec=packed_spec if len(packed_spec) <= MAX_PACKED_BYTES else None,
            problem=problem,
            recipe=_find_reference(spec, "recipeRef"),
            sweeps=_find_sources(spec),
            finished=None if problem else _find_finished_plan(metadata, spec, status),
        )

    def unpack(self) -> JsonObject | None:
        """Return the JSON, or None if its spec is too large."""
        return None if self.spec is None else {**_decompress(self.rest), "spec": _decompress(self.spec)}

    @property
    def status(self) -> SweepStatus:
        """Status of a sweep."""
        return read_status(_decompress(self.rest), SweepStatus)

    @property
    def dataset_status(self) -> DatasetStatus:
        """Status of a dataset."""
        return read_status(_decompress(self.rest), DatasetStatus)


def read_object(kind: type[Kind], body: Mapping[str, Any], problem: str) -> Kind:
    """Return the object in unpacked JSON, with the problem of its packed form."""
    read = kind.from_json(body)
    return replace(read, problem=problem) if problem else read


def _find_reference(tree: Any, key: str) -> str:
    """Return the name in a reference; the definition's schema refuses other forms, unless it is of another release."""
    reference = tree.get(key) if isinstance(tree, dict) else None
    return str(reference.get("name", "")) if isinstance(reference, dict) else ""


def _find_sources(spec: Any) -> tuple[str, ...]:
    sources = spec.get("sources") if isinstance(spec, dict) else None
    names = [_find_reference(source, "sweepRef") for source in sources] if isinstance(sources, list) else []
    return tuple(filter(None, dict.fromkeys(names)))


def _find_finished_plan(metadata: Mapping[str, Any], spec: Any, status: Mapping[str, Any]) -> FinishedPlan | None:
    is_current = status.get("observedGeneration") == metadata.get("generation", 1)
    has_finalizer = FINALIZER in metadata.get("finalizers", ())
    if not isinstance(spec, dict):
        return None
    needs_finalizer = spec.get("deletionPolicy") == DeletionPolicy.DELETE.value
    is_open = any(condition.get("reason") in _OPEN_REASONS for condition in status.get("conditions", ()))
    if "deletionTimestamp" in metadata or has_finalizer != needs_finalizer or is_open:
        return None
    if not is_current or not status.get("completionTime"):
        return None
    return FinishedPlan(status.get("engineVersion", 0), status.get("recipeDigest", ""))


def _select_metadata(metadata: Mapping[str, Any]) -> JsonObject:
    """Return the fields that the objects have, with our own annotations."""
    annotations = {name: value for name, value in metadata.get("annotations", {}).items() if GROUP in name}
    return {**{name: metadata[name] for name in _FIELDS if name in metadata}, "annotations": annotations}


def _compress(tree: Any) -> bytes:
    return zlib.compress(json.dumps(tree, separators=(",", ":")).encode(), _LEVEL)


def _decompress(data: bytes) -> JsonObject:
    tree: JsonObject = json.loads(zlib.decompress(data))
    return tree
