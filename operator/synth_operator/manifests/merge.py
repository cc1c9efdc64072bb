"""Strategic merge of a pod template and its overlay, like `kubectl patch`: lists of named objects merge by name."""

from __future__ import annotations

from typing import Any, Final

_MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}
_APPENDED_LISTS: Final = ("tolerations", "topologySpreadConstraints", "envFrom", "hostAliases")


def merge(base: Any, overlay: Any, name: str = "") -> Any:
    """Return `base` with `overlay` merged into it; `name` is the key of both in their parents.

    Mappings merge key by key, and null removes a key. Lists in the tables above merge by
    their merge key or are appended. Every other value of `overlay` replaces that of `base`.
    """
    if isinstance(base, dict) and isinstance(overlay, dict):
        tree = {key: value for key, value in base.items() if overlay.get(key, value) is not None}
        for key, value in overlay.items():
            if value is not None:
                tree[key] = merge(base.get(key), value, key)
        return tree
    if isinstance(base, list) and isinstance(overlay, list):
        if name in _APPENDED_LISTS:
            return [*base, *(item for item in overlay if item not in base)]
        if name in _MERGE_KEYS:
            return _merge_lists(base, overlay, _MERGE_KEYS[name])
    return overlay


def _merge_lists(base: list[Any], overlay: list[Any], key: str) -> list[Any]:
    overlay_items = {item.get(key): item for item in overlay}
    known = {item[key] for item in base}
    kept = [merge(item, overlay_items[item[key]]) if item[key] in overlay_items else item for item in base]
    return [*kept, *(item for item in overlay if item.get(key) not in known)]
