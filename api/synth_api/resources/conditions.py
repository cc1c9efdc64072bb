"""Conditions in the sense of Kubernetes, and why something cannot go on."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from synth_api.reasons import Reason
from synth_api.resources.base import Part, Time
from synth_api.sentences import Sentence


class ConditionType(StrEnum):
    """`Ready`, `Reconciling` and `Stalled` mean what kstatus says of them."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PLANNED = "Planned"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Condition(Part):
    """As `metav1.Condition`."""

    type: ConditionType
    """What it speaks of."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Reason
    """One word why."""
    message: Sentence = ""
    """One sentence for people."""
    observed_generation: int = 0
    """Generation of the spec it was derived from."""
    last_transition_time: Time
    """When its status last changed."""


class Problem(Part):
    """Why something cannot go on."""

    reason: Reason
    """One of the closed list."""
    message: Sentence
    """One sentence, without a credential."""
