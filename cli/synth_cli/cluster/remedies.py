"""Remedies for the reasons of a sweep or dataset, as the terminal shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import find_failure_reason
from synth_api.resources.conditions import ConditionType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.reasons import FailureReason, Reason
    from synth_cli.cluster.cluster_object import ClusterObject
    from synth_cli.cluster.cluster_sweep import ClusterSweep


def find_remedy(owner: ClusterObject) -> str:
    """Return the remedy for a waiting or failed sweep or dataset; empty if no action is needed."""
    ready = owner.find_condition(ConditionType.READY)
    if not owner.is_current or ready is None or ready.reason.retry_helps is None:
        return ""
    return _format_remedy(ready.reason, owner.word)


def list_failure_remedies(sweep: ClusterSweep) -> Iterator[tuple[str, str]]:
    """Yield each reason of the failed runs with its remedy; reasons of another release are left out."""
    for entry in sweep.status.failure_reasons:
        reason = find_failure_reason(entry.reason)
        if reason:
            yield reason.value, _format_remedy(reason, sweep.name)


def _format_remedy(reason: Reason | FailureReason, word: str) -> str:
    return reason.remedy.replace("NAME", word).replace("`", "")
