"""Record of the GPU hours of all namespaces: a ConfigMap in the operator's namespace, which no tenant may write."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from synth_operator.kube.api import Resource
from synth_operator.reconcile.gpu_hours import GpuDay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_operator.configuration import Lease
    from synth_operator.kube.api import Api

log = logging.getLogger(__name__)

_KEY: Final = "gpu-hours.json"


class GpuHoursRecord:
    """Reads and writes the record, whose ConfigMap the chart creates."""

    def __init__(self, api: Api, lease: Lease) -> None:
        self._api = api
        self._namespace = lease.namespace
        self._name = f"{lease.name}-gpu-hours"

    def load(self) -> dict[str, GpuDay]:
        """Return the last day of each namespace; none if there is no record or it cannot be read.

        Raises:
            ApiError: the API refused or did not answer.
        """
        body = self._api.read(Resource.INPUTS, self._namespace, self._name)
        text = ((body or {}).get("data") or {}).get(_KEY)
        try:
            return _parse(json.loads(text)) if text else {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the GPU hours in ConfigMap %s cannot be read and begin at 0: %s", self._name, error)
            return {}

    def save(self, days: Mapping[str, GpuDay]) -> None:
        """Write the record.

        Raises:
            ApiError: the API refused or did not answer.
        """
        tree = {
            namespace: {"day": day.day.isoformat(), "used": round(day.used), "gone": round(day.gone)}
            for namespace, day in sorted(days.items())
        }
        body = {"data": {_KEY: json.dumps(tree)}}
        self._api.patch(Resource.INPUTS, self._namespace, self._name, body)


def _parse(tree: dict[str, dict[str, Any]]) -> dict[str, GpuDay]:
    return {
        namespace: GpuDay(datetime.fromisoformat(day["day"]), float(day["used"]), float(day["gone"]))
        for namespace, day in tree.items()
    }
