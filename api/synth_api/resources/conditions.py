"""Conditions in the sense of Kubernetes, and problems that stop a sweep."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from synth_api.reasons import Reason
from synth_api.resources.base import Part, Time
from synth_api.sentences import Sentence


class ConditionType(StrEnum):
    """Types of conditions; `Ready`, `Reconciling` and `Stalled` have the meaning that kstatus defines."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PLANNED = "Planned"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Condition(Part):
    """Condition with the fields of `metav1.Condition`."""

    type: ConditionType
    """Type of the condition."""
    status: Literal["True", "False", "Unknown"]
    """`True` if the condition holds."""
    reason: Reason
    """Reason as one word of the closed list."""
    message: Sentence = ""
    """One sentence with the particulars."""
    observed_generation: int = 0
    """Generation of the spec it was derived from."""
    last_transition_time: Time
    """When its status last changed."""


class Problem(Part):
    """Reason and message of what stops a sweep."""

    reason: Reason
    """One of the closed list."""
    message: Sentence
    """One sentence, without a credential."""
