"""Differences of JSON trees, applied again by this code and by the rules of RFC 6902."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from synth_dataset.documents.json_patch import apply_patch, build_patch

CASES: list[tuple[Any, Any, list[dict[str, Any]]]] = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, [{"op": "replace", "path": "/a", "value": 2}]),
    ({"a": 1}, {"a": 1.0}, [{"op": "replace", "path": "/a", "value": 1.0}]),
    ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True}]),
    ({"a": 1}, {"a": None}, [{"op": "replace", "path": "/a", "value": None}]),
    ({"a": {"b": 1}}, {"a": {}}, [{"op": "remove", "path": "/a/b"}]),
    ({}, {"a/b~": [1]}, [{"op": "add", "path": "/a~1b~0", "value": [1]}]),
    ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, [{"op": "replace", "path": "/a/1/b", "value": 3}]),
    ({"a": [1, 2]}, {"a": [1]}, [{"op": "replace", "path": "/a", "value": [1]}]),
    ({"a": 1}, [1], [{"op": "replace", "path": "", "value": [1]}]),
]


@pytest.mark.parametrize(("old", "new", "patch"), CASES)
def test_a_patch_names_what_differs(old: Any, new: Any, patch: list[dict[str, Any]]) -> None:
    before = json.dumps(old)
    assert build_patch(old, new) == patch
    assert json.dumps(apply_patch(old, patch)) == json.dumps(new)
    assert json.dumps(old) == before


def grow(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(7 if depth else 5)
    if kind == 5:
        return [grow(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 6:
        return {rng.choice("abc/~."): grow(rng, depth - 1) for _ in range(rng.randrange(5))}
    return (None, rng.random() < 0.5, rng.randrange(3), float(rng.randrange(3)), rng.choice("xy"))[kind]


def test_a_patch_makes_one_tree_of_another() -> None:
    rng = random.Random(7)
    for _ in range(500):
        old, new = ({"root": grow(rng, 4)} for _ in range(2))
        patch = json.loads(json.dumps(build_patch(old, new)))
        assert json.dumps(apply_patch(old, patch), sort_keys=True) == json.dumps(new, sort_keys=True)


@pytest.mark.parametrize("path", ["/b/c", "/a/9", "/a/x"])
def test_a_patch_of_another_tree_is_refused(path: str) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        apply_patch({"a": [1]}, [{"op": "replace", "path": path, "value": 1}])
