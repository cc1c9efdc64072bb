"""Extended resources in pod specs: every unit counts as a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes.utils.quantity import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def count_gpus(pod_spec: Mapping[str, Any]) -> int:
    """Return the units of extended resources that a pod occupies: of its containers together, or of an init container.

    Nothing else tells a GPU from another device: their names differ by vendor, slice and sharing.
    """
    together = sum(_count_units(pod_spec.get("containers") or ()))
    return max(together, *_count_units(pod_spec.get("initContainers") or ()), 0)


def _count_units(containers: Iterable[Mapping[str, Any]]) -> list[int]:
    return [
        sum(_parse_units(quantity) for name, quantity in _read_limits(container).items() if _is_extended(name))
        for container in containers
    ]


def _read_limits(container: Mapping[str, Any]) -> Mapping[str, Any]:
    # The API server demands that limits and requests of extended resources are equal.
    limits: Mapping[str, Any] = (container.get("resources") or {}).get("limits") or {}
    return limits


def _parse_units(quantity: str | int) -> int:
    """Return a quantity as a number; the API server refuses the pod of one that cannot be read."""
    try:
        return max(0, int(parse_quantity(quantity)))
    except ValueError:
        return 0


def _is_extended(name: str) -> bool:
    domain, slash, _ = name.partition("/")
    return bool(slash) and domain != "kubernetes.io" and not domain.endswith(".kubernetes.io")
