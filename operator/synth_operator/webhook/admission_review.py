"""AdmissionReview v1 as the API server sends it, and the answer that it expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

_API_VERSION: Final = "admission.k8s.io/v1"
_INVALID: Final = 422


class _Received(BaseModel):
    """Part of a review; later versions of Kubernetes may add fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True)


class ObjectKind(_Received):
    """Kind of the object that is written."""

    kind: str


class AdmissionRequest(_Received):
    """A write that the API server asks about."""

    uid: str
    kind: ObjectKind
    namespace: str
    object: dict[str, Any]
    """The object as it would be stored."""
    old_object: dict[str, Any] | None = None
    """The object as it is stored; None if it is new."""

    @property
    def needs_check(self) -> bool:
        """False for a write that leaves the spec as it is: labels, finalizers."""
        return self.old_object is None or self.object.get("spec") != self.old_object.get("spec")

    @property
    def recipe_name(self) -> str:
        """Name of the SynthRecipe that a sweep refers to, else empty."""
        reference = self.object.get("spec", {}).get("recipeRef") or {}
        return str(reference.get("name", ""))


class AdmissionReview(_Received):
    """The document around a request."""

    request: AdmissionRequest


@dataclass(frozen=True)
class Verdict:
    """Answer to a write: the sentence that refuses it, or none; and warnings to its author."""

    problem: str = ""
    warnings: tuple[str, ...] = ()


def build_answer(request: AdmissionRequest, verdict: Verdict) -> dict[str, Any]:
    """Return the review that answers a request."""
    response: dict[str, Any] = {"uid": request.uid, "allowed": not verdict.problem}
    if verdict.problem:
        response["status"] = {"code": _INVALID, "reason": "Invalid", "message": verdict.problem}
    if verdict.warnings:
        response["warnings"] = list(verdict.warnings)
    return {"apiVersion": _API_VERSION, "kind": "AdmissionReview", "response": response}
