"""InternalError: a pass that raises becomes a condition of its sweep, recipe or dataset, and stops no other one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_dataset import DatasetPhase
from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal

    from synth_operator.kube.api import Api
    from synth_operator.kube.owner import Owner
    from synth_operator.watch.kopf_setup import ObjectKey
    from synth_operator.watch.watches import Watches


def report_internal_error(api: Api, watches: Watches, key: ObjectKey, error: Exception, now: datetime) -> None:
    """Write the condition of an object whose pass raised, unless it has that condition already.

    Raises:
        ApiError: the API refused the status or did not answer.
        NotWatchingError: the watches are not complete.
    """
    found = _find_object(watches, key)
    if found is None:
        return
    changes = _build_changes(found, type(error).__name__, now)
    if changes["conditions"] == found.status.conditions:
        return
    body = {
        "metadata": {"name": found.name, "resourceVersion": found.resource_version},
        "status": found.status.model_copy(update=changes).model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    api.replace_status(key.resource, key.namespace, key.name, body)


def _find_object(watches: Watches, key: ObjectKey) -> Owner | RecipeObject | None:
    if key.resource is Resource.DATASETS:
        return watches.take_dataset_snapshot(key.namespace, key.name).dataset
    if key.resource is Resource.SWEEPS:
        return watches.take_snapshot(key.namespace, key.name).sweep
    return watches.find_recipe(key.namespace, key.name)


def _build_changes(found: Owner | RecipeObject, error: str, now: datetime) -> dict[str, Any]:
    """Return the changed fields of the status. A finished sweep, and a dataset whose version is published,
    keep `Ready`, which is their result.

    The message names only the error's class: what an error says may come from a pod or hold a credential.
    """
    message = f"The operator failed here with {error} and tries again; the traceback is in its log."
    previous = {condition.type: condition for condition in found.status.conditions}

    def build_condition(kind: ConditionType, status: Literal["True", "False"]) -> Condition:
        former = previous.get(kind)
        return Condition(
            type=kind,
            status=status,
            reason=Reason.INTERNAL_ERROR,
            message=message,
            observed_generation=found.generation,
            last_transition_time=former.last_transition_time if former and former.status == status else now,
        )

    reconciling = build_condition(ConditionType.RECONCILING, "True")
    previous.pop(ConditionType.STALLED, None)
    if _is_finished(found):
        return {"conditions": tuple((previous | {ConditionType.RECONCILING: reconciling}).values())}
    failed = {
        ConditionType.READY: build_condition(ConditionType.READY, "False"),
        ConditionType.RECONCILING: reconciling,
    }
    # A recipe's generation counts as checked once it is in the status.
    observed = {} if isinstance(found, RecipeObject) else {"observed_generation": found.generation}
    return {"conditions": tuple((previous | failed).values()), **observed}


def _is_finished(found: Owner | RecipeObject) -> bool:
    if isinstance(found, SweepObject):
        return found.status.completion_time is not None
    return isinstance(found, DatasetObject) and found.status.phase is DatasetPhase.PUBLISHED
