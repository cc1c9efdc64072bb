"""Interpolations: a value that is another node of the recipe, `seed: ${initial_runtime_state.seed}`."""

from __future__ import annotations

import re
from typing import Any, Final

from synth_api.errors import InputError, nearest
from synth_api.recipe.problems import dotted

_WHOLE: Final = re.compile(r"\$\{\s*([\w-]+(?:\.[\w-]+|\[\d+\])*)\s*\}")
_MAX_NODES: Final = 50_000


def check_interpolation(path: str, text: str) -> None:
    """Raise InputError for a string with an interpolation that is not wholly a reference to a node, `${a.b}`."""
    if "${" not in text or _WHOLE.fullmatch(text):
        return
    inner = text[text.index("${") + 2 :]
    if re.match(r"\s*[\w.]+\s*:", inner):
        problem = f"the resolver '{text}' is not allowed; write the value itself, or refer to a node, ${{a.b}}"
    elif text.startswith("${") and text.endswith("}") and inner.lstrip().startswith("."):
        problem = f"the relative reference '{text}' is not allowed; write the whole path, ${{a.b}}"
    else:
        problem = f"'{text}' must be one whole reference such as ${{a.b}}, with no text around and none inside it"
    raise InputError(path, problem)


def resolve_interpolations(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with every reference replaced by what it points to; shares nothing with the argument that changes.

    Raises InputError for references that point nowhere or in a circle, and when they multiply beyond 50,000 values.
    """
    resolved = _Resolver(tree).value(tree, (), ())
    assert isinstance(resolved, dict)
    return resolved


class _Resolver:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def value(self, value: Any, location: tuple[str | int, ...], chain: tuple[str, ...]) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise InputError(dotted(location), f"interpolations make more than {_MAX_NODES:,} values of it; use fewer")
        if isinstance(value, dict):
            return {key: self.value(item, (*location, key), chain) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*location, index), chain) for index, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._reference(value, location, chain)
        return value

    def _reference(self, text: str, location: tuple[str | int, ...], chain: tuple[str, ...]) -> Any:
        path = dotted(location)
        check_interpolation(path, text)
        match = _WHOLE.fullmatch(text)
        assert match
        target = match[1].replace("[", ".").replace("]", "")
        if target in chain:
            raise InputError(path, f"'{text}' points to itself in a circle; write the value in one of the places")
        chain = (*chain, target)
        node: Any = self._root
        for word in target.split("."):
            if isinstance(node, str) and "${" in node:
                node = self._reference(node, location, chain)
            node = _child(node, word, path, text)
        return self.value(node, location, chain)


def _child(node: Any, word: str, path: str, text: str) -> Any:
    if isinstance(node, dict) and word in node:
        return node[word]
    if isinstance(node, list) and word.isdigit() and int(word) < len(node):
        return node[int(word)]
    known = (
        node.keys() if isinstance(node, dict) else [str(i) for i in range(len(node))] if isinstance(node, list) else []
    )
    raise InputError(path, f"'{text}' points nowhere: there is no '{word}' there; {nearest(word, known)}")
