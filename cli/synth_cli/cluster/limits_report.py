"""Report of the limits of a namespace, and the sweeps and datasets that wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.namespace_limits import REPORT_KEY, REPORT_NAME, LimitsUse

if TYPE_CHECKING:
    from synth_cli.cluster.cluster_object import ClusterObject
    from synth_cli.cluster.connection import Cluster


def read_limits(cluster: Cluster) -> LimitsUse | None:
    """Return the operator's report for the namespace; None if there is none. Raises InputError if it cannot be read."""
    text = (cluster.read_config_map(REPORT_NAME) or {}).get(REPORT_KEY)
    if text is None:
        return None
    try:
        return LimitsUse.model_validate_json(text)
    except ValidationError:
        problem = "cannot be read; this synth and the operator are of different versions, or somebody edited it"
        raise InputError(f"ConfigMap {REPORT_NAME}", problem) from None


def list_limited_owners(cluster: Cluster) -> list[ClusterObject]:
    """Return the sweeps and datasets that wait for a limit, in the order in which they go on: the oldest first."""
    owners: list[ClusterObject] = [*cluster.list_sweeps(), *cluster.list_datasets()]
    return sorted(filter(find_limit_message, owners), key=lambda owner: (owner.created, owner.word))


def find_limit_message(owner: ClusterObject) -> str:
    """Return the message of a sweep or dataset that waits for a limit, else an empty text."""
    ready = owner.find_condition(ConditionType.READY)
    return ready.message if ready and ready.reason is Reason.LIMITED else ""
