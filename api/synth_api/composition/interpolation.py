"""Interpolations: values and parts of texts that are other nodes of the recipe, as OmegaConf writes them.

`${a.b[0]}` counts from the root, `${.b}` from the mapping or list that holds the value, `${..b}` from the one above it.
A key may itself be an interpolation, `${a[${b}]}`. `\\${` is no interpolation but these two characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name
from synth_api.problems import format_location, quote_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Location = tuple[str | int, ...]
"""Keys of mappings and indices of lists, from the root."""

_WHOLE: Final = re.compile(r"\$\{\s*\.*[\w-]+(?:\.[\w-]+|\[[\w-]+\])*\s*\}")
_WORD: Final = re.compile(r"[^.\[\]]+")
_MASK: Final = "\ue000\ue001"
"""Stands for `${` in what Hydra composes; of the Private Use Area."""
_OPEN: Final = re.compile(r"(\\*)\$\{")
_RESOLVER: Final = re.compile(r"\s*([\w.]*)\s*:")
_KEY: Final = re.compile(r"[^\s.:{}()\[\]'\"\\$]+")
_MAX_TEXT: Final = 4096
"""Characters of a text with interpolations, as it is written and as it becomes."""
_MAX_SIZE: Final = 256 * 1024
"""Values and characters of a recipe whose interpolations are written out."""
_MAX_OPEN: Final = 100
"""Values within each other or referring to each other."""
_MAX_NESTED: Final = 8
"""Interpolations within each other."""


@dataclass(frozen=True)
class _Reference:
    """`${a.b}`: the way to a node, from the root or from `up` levels above the value."""

    up: int
    keys: tuple[str | _Reference, ...]


_Parts = tuple[str | _Reference, ...]


class _UnreadableError(Exception):
    """The text is no interpolation; the message says why."""


def check_interpolation(path: str, text: str) -> None:
    """Raise InputError for a string whose interpolations cannot be read, or that is too long for one that has any."""
    if "${" in text:
        _parse_text(path, text)


def mask_interpolations(value: Any) -> Any:
    """Return the value with every interpolation hidden from Hydra that is more than one reference with fixed keys.

    Hydra resolves texts without a bound (18 levels of `${a}${a}` take 101 s), and references to overridden values.
    """
    if isinstance(value, dict):
        return {key: mask_interpolations(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_interpolations(item) for item in value]
    return value.replace("${", _MASK) if isinstance(value, str) and not _WHOLE.fullmatch(value) else value


def unmask_interpolations(value: Any) -> Any:
    """Return the value that `mask_interpolations` was given."""
    if isinstance(value, dict):
        return {key: unmask_interpolations(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unmask_interpolations(item) for item in value]
    return value.replace(_MASK, "${") if isinstance(value, str) else value


def has_computed_keys(value: Any) -> bool:
    """Return True if anything in a tree refers to a node whose name depends on another value, `${a[${b}]}`."""
    if isinstance(value, dict):
        return any(map(has_computed_keys, value.values()))
    if isinstance(value, list):
        return any(map(has_computed_keys, value))
    if not isinstance(value, str) or "${" not in value:
        return False
    references = [part for part in _parse_text("", value) if isinstance(part, _Reference)]
    return any(isinstance(key, _Reference) for reference in references for key in reference.keys)


def resolve_interpolations(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the tree with every interpolation replaced by what it points to; nothing that the argument holds changes.

    Raises InputError for references that point nowhere or in a circle, and where they multiply: a text has at most
    4,096 characters, the tree 262,144 values and characters, and 100 values lead to each other at most.
    """
    resolved = _Resolver(tree).resolve((), tree).value
    assert isinstance(resolved, dict)
    return resolved


def find_reference(tree: Any, path: str) -> str | None:
    """Return what the value at `a.b[5].c` of an unresolved tree refers to, `parameters.large` of `${parameters.large}`.

    None for a value of its own, and for a reference that counts from where it stands.
    """
    for word in _WORD.findall(path):
        if isinstance(tree, list) and word.isdecimal() and int(word) < len(tree):
            tree = tree[int(word)]
        elif isinstance(tree, dict) and word in tree:
            tree = tree[word]
        else:
            return None
        if isinstance(tree, str) and _WHOLE.fullmatch(tree):
            reference = tree[2:-1].strip()
            return None if reference.startswith(".") else reference
    return None


@dataclass(frozen=True)
class _ResolvedValue:
    """A value without interpolations, and how many values and characters it has."""

    value: Any
    size: int


class _Resolver:
    """Resolves each value once, however many refer to it."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._known: dict[Location, _ResolvedValue] = {}
        self._open: set[Location] = set()

    def resolve(self, location: Location, written: Any) -> _ResolvedValue:
        """Return the resolved value of what is `written` at a location of the tree."""
        known = self._known.get(location)
        if known is None:
            if len(self._open) >= _MAX_OPEN:
                raise _depth_error(location)
            self._open.add(location)
            known = self._known[location] = self._resolve_value(location, written)
            self._open.remove(location)
        return known

    def _resolve_value(self, location: Location, written: Any) -> _ResolvedValue:
        if isinstance(written, dict):
            items = {key: self.resolve((*location, key), item) for key, item in written.items()}
            value: Any = {key: item.value for key, item in items.items()}
            return _ResolvedValue(value, _add_sizes(location, items.values()))
        if isinstance(written, list):
            entries = [self.resolve((*location, index), item) for index, item in enumerate(written)]
            return _ResolvedValue([entry.value for entry in entries], _add_sizes(location, entries))
        if isinstance(written, str):
            return (
                self._resolve_text(location, written) if "${" in written else _ResolvedValue(written, 1 + len(written))
            )
        return _ResolvedValue(written, 1)

    def _resolve_text(self, location: Location, text: str) -> _ResolvedValue:
        parts = _parse_text(format_location(location), text)
        if len(parts) == 1 and isinstance(parts[0], _Reference):
            return self._resolve_reference(location, text, parts[0])
        words: list[str] = []
        for part in parts:
            words.append(part if isinstance(part, str) else self._format_reference(location, text, part))
            if sum(map(len, words)) > _MAX_TEXT:
                raise InputError(
                    format_location(location),
                    f"{quote_value(text)} becomes longer than {_MAX_TEXT:,} characters; shorten it",
                )
        whole = "".join(words)
        return _ResolvedValue(whole, 1 + len(whole))

    def _format_reference(self, location: Location, text: str, reference: _Reference) -> str:
        """Return a referred value as part of a text: 1.0 as 1, because not every reader of YAML distinguishes them."""
        value = self._resolve_reference(location, text, reference).value
        if isinstance(value, dict | list):
            raise InputError(
                format_location(location),
                f"{quote_value(text)} puts {quote_value(value)} into a text; refer to a plain value",
            )
        return str(int(value) if isinstance(value, float) and value.is_integer() else value)

    def _resolve_reference(self, location: Location, text: str, reference: _Reference) -> _ResolvedValue:
        """Return the resolved value that a reference in the text at a location points to."""
        target, node = self._find_target(location, text, reference, (location,))
        if target in self._open:
            raise _circle_error(location, text)
        return self.resolve(target, node)

    def _find_target(
        self, location: Location, text: str, reference: _Reference, chain: tuple[Location, ...]
    ) -> tuple[Location, Any]:
        """Return the location that the reference leads to, through other references, and the value written there."""
        if reference.up > len(location):
            raise InputError(
                format_location(location), f"{quote_value(text)} leads above the root of the recipe; remove dots"
            )
        target: Location = location[: -reference.up] if reference.up else ()
        node: Any = self._root
        for word in target:
            node = node[word]
        for part in reference.keys:
            if isinstance(node, str) and "${" in node:
                target, node = self._follow_references(target, node, chain)
            key = part if isinstance(part, str) else self._format_reference(location, text, part)
            word = _find_word(node, key, location, text)
            target, node = (*target, word), node[word]
        return target, node

    def _follow_references(self, location: Location, written: Any, chain: tuple[Location, ...]) -> tuple[Location, Any]:
        """Return the end of a chain of whole references."""
        while isinstance(written, str) and "${" in written:
            if location in chain:
                raise _circle_error(location, written)
            if len(chain) > _MAX_OPEN:
                raise _depth_error(location)
            parts = _parse_text(format_location(location), written)
            if len(parts) > 1 or not isinstance(parts[0], _Reference):
                break
            chain = (*chain, location)
            location, written = self._find_target(location, written, parts[0], chain)
        return location, written


def _circle_error(location: Location, text: str) -> InputError:
    return InputError(format_location(location), f"{quote_value(text)} refers to itself; write the value instead")


def _depth_error(location: Location) -> InputError:
    return InputError(
        format_location(location), f"interpolations form a chain of more than {_MAX_OPEN} values; use fewer"
    )


def _find_word(node: Any, key: str, location: Location, text: str) -> str | int:
    """Return the key or index of a node's entry. Raises InputError if the node has no such entry."""
    if isinstance(node, dict) and key in node:
        return key
    if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
        return int(key)
    known = node if isinstance(node, dict) else map(str, range(len(node))) if isinstance(node, list) else ()
    raise InputError(
        format_location(location),
        f"{quote_value(text)} refers to nothing: there is no '{key}' there; {suggest_name(key, known)}",
    )


def _add_sizes(location: Location, parts: Iterable[_ResolvedValue]) -> int:
    size = 1 + sum(part.size for part in parts)
    if size > _MAX_SIZE:
        raise InputError(
            format_location(location),
            f"interpolations make more than {_MAX_SIZE:,} values and characters of it; use fewer",
        )
    return size


def _parse_text(path: str, text: str) -> _Parts:
    if len(text) > _MAX_TEXT:
        raise InputError(path, f"a text with interpolations has at most {_MAX_TEXT:,} characters; shorten it")
    try:
        return _parse_once(text)
    except _UnreadableError as error:
        raise InputError(path, f"{quote_value(text)} {error}") from None


@lru_cache(maxsize=4096)
def _parse_once(text: str) -> _Parts:
    return tuple(_Reader(text).read_parts())


def _describe_resolver(resolver: str, text: str) -> str:
    if resolver == "oc.env" or (resolver == "oc.decode" and "oc.env" in text):
        return "is not allowed here: a cluster does not have the environment of your machine; write the value itself"
    return f"calls '{resolver}', a resolver that is not allowed; write the value itself, or a node, ${{a.b}}"


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def read_parts(self) -> Iterator[str | _Reference]:
        """Yield the text's literal parts and references."""
        literal = ""
        while found := _OPEN.search(self._text, self._position):
            slashes = len(found[1])
            literal += self._text[self._position : found.start()] + "\\" * (slashes // 2)
            self._position = found.end()
            if slashes % 2:
                literal += "${"
                continue
            if literal:
                yield literal
            literal = ""
            yield self._read_reference(1)
        literal += self._text[self._position :]
        if literal:
            yield literal

    def _read_reference(self, depth: int) -> _Reference:
        """Read a reference after its `${`, up to its `}`."""
        if depth > _MAX_NESTED:
            raise _UnreadableError(f"has more than {_MAX_NESTED} interpolations within each other; use fewer")
        if resolver := _RESOLVER.match(self._text, self._position):
            raise _UnreadableError(_describe_resolver(resolver[1], self._text))
        self._skip(r"\s*")
        up = len(self._skip(r"\.*"))
        keys = [self._read_key(depth)]
        while not self._skip(r"\s*\}"):
            if not self._skip(r"\.") and not self._is_at("["):
                raise _UnreadableError("cannot be read; an interpolation is ${a.b}, ${.b} or ${..b}")
            keys.append(self._read_key(depth))
        return _Reference(up, tuple(keys))

    def _read_key(self, depth: int) -> str | _Reference:
        bracket = self._skip(r"\[")
        key = self._read_reference(depth + 1) if self._skip(r"\$\{") else self._skip(_KEY.pattern)
        if not key or (bracket and not self._skip(r"\]")):
            raise _UnreadableError("cannot be read; an interpolation is ${a.b}, ${.b} or ${..b}")
        return key

    def _is_at(self, word: str) -> bool:
        return self._text.startswith(word, self._position)

    def _skip(self, pattern: str) -> str:
        """Return the text that matches at the position, and move behind it."""
        found = re.compile(pattern).match(self._text, self._position)
        if found is None:
            return ""
        self._position = found.end()
        return found[0]
