"""Access to plain trees of dicts and lists by path; no function changes its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Keys of dicts and indices of lists, from the root."""


def parse_path(dotted: str) -> Path:
    """Parse a dotted path: `a.5.b` -> ("a", 5, "b")."""
    return tuple(int(word) if word.isdigit() else word for word in dotted.split("."))


def get_value(tree: Any, path: Path) -> Any:
    """Return the value at a path. Raises LookupError if there is none."""
    for word in path:
        tree = tree[word if isinstance(tree, list) else str(word)]
    return tree


def merge_value(tree: Any, path: Path, value: Any) -> Any:
    """Return the tree with a value at a path, as Hydra overrides: dicts merge, everything else is replaced."""
    if not path:
        return _merge(tree, value)
    word, rest = path[0], path[1:]
    if isinstance(tree, list):
        assert isinstance(word, int)
        return [*tree[:word], merge_value(tree[word], rest, value), *tree[word + 1 :]]
    key, branch = str(word), tree if isinstance(tree, dict) else {}
    return {**branch, key: merge_value(branch.get(key), rest, value)}


def replace_value(tree: Any, path: Path, value: Any) -> Any:
    """Return the tree with the value at an existing path replaced as a whole."""
    if not path:
        return value
    word = path[0]
    if isinstance(tree, list):
        assert isinstance(word, int)
        return [*tree[:word], replace_value(tree[word], path[1:], value), *tree[word + 1 :]]
    return {**tree, str(word): replace_value(tree[str(word)], path[1:], value)}


def remove_entry(tree: Any, path: Path) -> Any:
    """Return the tree without the dict entry at an existing path."""
    parent = get_value(tree, path[:-1])
    return replace_value(tree, path[:-1], {key: value for key, value in parent.items() if key != str(path[-1])})


def find_differences(one: Any, other: Any, depth: int) -> Iterator[Path]:
    """Yield the paths, at most `depth` long, where two trees differ; a key that only one has differs above it."""
    if depth and isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from ((key, *path) for path in find_differences(one[key], other[key], depth - 1))
    elif depth and isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from ((index, *path) for path in find_differences(left, right, depth - 1))
    elif one != other or type(one) is not type(other):
        yield ()


def _merge(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merge(old.get(key), value) for key, value in new.items()}}
    return new
