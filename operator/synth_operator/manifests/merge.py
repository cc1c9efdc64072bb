"""Merging a pod template with what lies over it, as far as `kubectl patch` would: lists of named things by name."""

from __future__ import annotations

from typing import Any, Final

_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}
_APPENDED: Final = ("tolerations", "topologySpreadConstraints", "envFrom", "hostAliases")


def merged(base: Any, overlay: Any, name: str = "") -> Any:
    """Mappings key by key, null removes; known lists by their key or one after the other; all else is replaced."""
    if isinstance(base, dict) and isinstance(overlay, dict):
        tree = {key: value for key, value in base.items() if overlay.get(key, value) is not None}
        for key, value in overlay.items():
            if value is not None:
                tree[key] = merged(base.get(key), value, key)
        return tree
    if isinstance(base, list) and isinstance(overlay, list):
        if name in _APPENDED:
            return [*base, *(item for item in overlay if item not in base)]
        if name in _KEYS:
            return _by_key(base, overlay, _KEYS[name])
    return overlay


def _by_key(base: list[Any], overlay: list[Any], key: str) -> list[Any]:
    over = {item.get(key): item for item in overlay}
    known = {item[key] for item in base}
    kept = [merged(item, over[item[key]]) if item[key] in over else item for item in base]
    return [*kept, *(item for item in overlay if item.get(key) not in known)]
