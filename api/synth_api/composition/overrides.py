"""Overrides in Hydra's grammar, checked before Hydra sees them."""

from __future__ import annotations

import re
from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from synth_api.composition.ascii_words import AsciiWords
from synth_api.composition.interpolation import check_interpolation, mask_interpolations
from synth_api.composition.plain_values import MAX_DEPTH
from synth_api.composition.repeated_keys import find_repeated_key
from synth_api.errors import InputError, suggest_name
from synth_api.problems import quote_value
from synth_api.prototypes.feature_names import FEATURE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra.core.override_parser.types import Override

_BLUEPRINT_MAPS: Final = ("blueprints.measurement_techniques", "blueprints.particles")
_BLUEPRINT_DEPTH: Final = 3
"""Words in the path of a blueprint."""
_MAX_PATH: Final = 512
"""Characters, as in a custom resource."""
_MAX_SUGGESTIONS: Final = 3
_QUOTED: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_BRACKETS: Final = re.compile(r"[][(){}]")
_LISTS_ARE_FIXED: Final = (
    "a list can be neither lengthened nor shortened by an override; write the whole list in a recipe or fragment"
)


def index_path(tree: dict[str, Any], path: str) -> str:
    """Return the dotted path with step ids turned into indices: `….relax.gravity.2` -> `….5.gravity.2`.

    Words that `tree` does not have stay as they are. Raises InputError for a word where an index or id must stand.
    """
    words, node = [], tree
    for word in path.split("."):
        if isinstance(node, list) and not _is_index(word):
            word = _find_index(node, word, path)
        words.append(word)
        node = _get_child(node, word)
    return ".".join(words)


def check_path(tree: dict[str, Any], path: str) -> None:
    """Raise InputError if `tree` has nothing at the dotted path, with the nearest that it has."""
    node: Any = tree
    words = path.split(".")
    for depth, word in enumerate(words):
        if isinstance(node, list) and _is_index(word) and int(word) >= len(node):
            raise InputError(path, f"there is no entry {word}, the list has {len(node)}, from 0; {_LISTS_ARE_FIXED}")
        if not _has_child(node, word):
            whole = _find_paths(tree, words) if depth == 0 else []
            raise InputError(
                path,
                f"there is no key '{word}'; {_suggest_paths(whole)}"
                if whole
                else _describe_unknown_key(node, words, depth),
            )
        node = _get_child(node, word)


def index_overrides(tree: dict[str, Any], overrides: Sequence[str]) -> list[str]:
    """Return the overrides with step ids turned into indices. Raises InputError for those that cannot work."""
    result: list[str] = []
    added: list[str] = []
    for text in overrides:
        override = _parse_override(text)
        path = index_path(tree, override.key_or_group)
        _check_override(tree, override, path, added)
        if override.is_add() or override.is_force_add() or isinstance(override.value(), dict):
            added.append(_find_blueprint(path) or path)
        result.append(_format_for_hydra(override, path, text))
    return result


def _format_for_hydra(override: Override, path: str, text: str) -> str:
    """Return the override for Hydra, which adds blueprints to their map only and follows interpolations."""
    key = override.get_key_element()
    value = _to_plain_value(override.value())
    blueprint = _find_blueprint(path)
    if blueprint and (override.is_add() or override.is_force_add()):
        section, name = blueprint.rsplit(".", 1)
        for word in reversed(path.split(".")[_BLUEPRINT_DEPTH:]):
            value = {word: value}
        return f"++{section}={format_override_value({name: mask_interpolations(value)})}"
    written = (
        format_override_value(mask_interpolations(value))
        if mask_interpolations(value) != value
        else text[len(key) + 1 :]
    )
    return key.replace(override.key_or_group, path, 1) + text[len(key) : len(key) + 1] + written


def _find_blueprint(path: str) -> str | None:
    """Return the path of the blueprint that a path leads into; None if it leads into none."""
    words = path.split(".")
    is_inside = len(words) >= _BLUEPRINT_DEPTH and ".".join(words[:2]) in _BLUEPRINT_MAPS
    return ".".join(words[:_BLUEPRINT_DEPTH]) if is_inside else None


def _to_plain_value(value: Any) -> Any:
    """Return the value without the grammar's own types."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_to_plain_value(item) for item in value]
    return (
        {str(_to_plain_value(key)): _to_plain_value(item) for key, item in value.items()}
        if isinstance(value, dict)
        else value
    )


def format_override_value(value: Any) -> str:
    """Return a plain value in Hydra's grammar, strings quoted."""
    if isinstance(value, str):
        return QuotedString(value, Quote.single).with_quotes()
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{format_override_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(format_override_value, value)) + "]"
    return "null" if value is None else str(value)


def read_override(text: str, parser: OverridesParser) -> Override:
    """Parse an argument in Hydra's grammar. Raises InputError if it cannot be parsed or has no path."""
    name = text.partition("=")[0]
    if len(name) > _MAX_PATH:
        raise InputError(f"{name[:60]}…", f"the path has {len(name):,} characters, at most {_MAX_PATH:,} are allowed")
    _check_nesting(name, text)
    words = AsciiWords(text)
    try:
        override = parser.parse_override(words.encode(text))
    except InputError:
        raise
    except ValueError:
        raise InputError(name, "a number in it has too many digits; write one within ±(2^53 - 1)") from None
    except HydraException as error:
        if isinstance(error.__cause__, InputError):
            raise InputError(name, words.decode(error.__cause__.problem)) from None
        raise InputError(name, _describe_unreadable(text, words.decode(str(error)))) from None
    if not override.key_or_group:
        raise InputError("", f"'{text}' names nothing to change; write the path of a value in front, a.b=1")
    repeated = find_repeated_key(words.encode(text))
    if repeated is not None:
        raise InputError(name, f"the key '{words.decode(repeated)}' appears twice; take one of them out")
    override.key_or_group = words.decode(override.key_or_group)
    override._value = words.decode_value(override._value)
    return override


def _check_nesting(name: str, text: str) -> None:
    """Refuse lists, mappings and casts within each other that Hydra's parser, which calls itself, cannot read."""
    depth = 0
    for sign in _BRACKETS.findall(_QUOTED.sub("", text)):
        depth += 1 if sign in "([{" else -1
        if depth > MAX_DEPTH:
            raise InputError(name, f"is nested more than {MAX_DEPTH} deep; flatten it")


def _describe_unreadable(text: str, grammar_says: str) -> str:
    if "=" not in text:
        return f"'{text}' is not an override such as a.b=1: it gives no value; write {text}=…"
    for word in re.split("[./@]", text.partition("=")[0].lstrip("+~")):
        if re.search(r"[^\w$-]", word):
            return f"'{word}' cannot stand in a path; write its words with letters, digits, '_' and '-'"
    function = re.search("while evaluating '(.*?)': Unknown function", grammar_says)
    if function:
        return f"there is no function in '{function[1]}' but `range` and `choice`; quote it twice if it is a text"
    call = re.search("while evaluating '(.*?)': ", grammar_says)
    if call:
        return f"'{call[1]}' cannot be evaluated; write for example range(15), range(0,1,0.1) or choice(a,b)"
    return f"'{text}' is not an override such as a.b=1 or a.b=1,2; check its commas, brackets, spaces and quotes"


def _parse_override(text: str) -> Override:
    override = read_override(text, OverridesParser.create())
    path = override.key_or_group
    if override.is_sweep_override():
        raise InputError(path, f"'{text}' is an axis of a sweep; give one value here")
    if override.package is not None or "/" in path or "@" in path:
        problem = "config groups are not available in overrides; choose in a recipe's `defaults`, or give a dotted path"
        raise InputError(path, problem)
    if path.split(".")[0] == "hydra":
        raise InputError(path, "Hydra's own settings do not apply here; leave it out")
    return override


def _check_override(tree: dict[str, Any], override: Override, path: str, added: Sequence[str]) -> None:
    _check_strings(path, override.value())
    parent = _get_value(tree, path.split(".")[:-1])
    if isinstance(parent, list) and (override.is_delete() or int(path.rpartition(".")[2]) >= len(parent)):
        raise InputError(path, _LISTS_ARE_FIXED)
    if override.is_delete() and override.value() not in (None, there := _get_value(tree, path.split("."))):
        raise InputError(
            path, f"the value to take out is {quote_value(there)}, not {quote_value(override.value())}; write ~{path}"
        )
    if override.is_add():
        _check_absent(path, _get_value(tree, path.split(".")), override.value())
    if override.is_add() or override.is_force_add():
        return
    if not any(path == other or path.startswith(f"{other}.") for other in added):
        check_path(tree, path)


def _check_absent(path: str, there: Any, value: Any) -> None:
    if there not in (None, "???") and not isinstance(value, dict | list):
        raise InputError(path, f"there is a value already, {quote_value(there)}; write the override without its +")


def _check_strings(path: str, value: Any) -> None:
    text = getattr(value, "text", value)
    if isinstance(text, str):
        check_interpolation(path, text)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_strings(path, item)


def _find_paths(tree: dict[str, Any], words: Sequence[str]) -> list[str]:
    """Return the dotted paths in `tree` that end with the short path `words`, else those whose end is most similar."""
    by_end: defaultdict[str, list[str]] = defaultdict(list)
    for path in _list_paths(tree, ()):
        by_end[".".join(path[-len(words) :])].append(".".join(path))
    short = ".".join(words)
    ends = [short] if short in by_end else get_close_matches(short, by_end, n=1)
    return [path for end in ends for path in by_end[end]]


def _list_paths(node: Any, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of everything below a node."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for word, child in children:
        yield (*place, str(word))
        yield from _list_paths(child, (*place, str(word)))


def _suggest_paths(paths: Sequence[str]) -> str:
    """Return `did you mean 'a.b'?` with the first three paths."""
    shown_paths = " or ".join(f"'{path}'" for path in paths[:_MAX_SUGGESTIONS])
    more = f" (or {len(paths) - _MAX_SUGGESTIONS} more)" if len(paths) > _MAX_SUGGESTIONS else ""
    return f"did you mean {shown_paths}{more}?"


def _describe_unknown_key(node: Any, words: Sequence[str], depth: int) -> str:
    place, word = ".".join(words[:depth]), words[depth]
    if not isinstance(node, dict):
        return f"'{place}' has no keys" if node is not None else f"there is no '{word}', nothing is below '{place}'"
    add = f" (to add it, write +{'.'.join(words)}=…)" if place and depth == len(words) - 1 else ""
    # A recipe sets few of the features that a blueprint has.
    known = {*node, *FEATURE_NAMES} if words[0] == "blueprints" and words[depth - 1] == "features" else node.keys()
    suggestion = "" if word in known else f"; {suggest_name(word, known)}"
    return f"there is no key '{word}'{f' in {place}' if place else ''}{add}{suggestion}"


def _find_index(steps: list[Any], word: str, path: str) -> str:
    ids = {step["id"]: index for index, step in enumerate(steps) if isinstance(step, dict) and "id" in step}
    if word not in ids:
        known = suggest_name(word, ids) if ids else "there are no ids"
        raise InputError(path, f"'{word}' is neither an index nor the id of an entry of this list; {known}")
    return str(ids[word])


def _is_index(word: str) -> bool:
    return word.isascii() and word.isdigit()


def _has_child(node: Any, word: str) -> bool:
    if isinstance(node, list):
        return _is_index(word) and int(word) < len(node)
    return isinstance(node, dict) and word in node


def _get_child(node: Any, word: str) -> Any:
    if not _has_child(node, word):
        return None
    return node[int(word)] if isinstance(node, list) else node[word]


def _get_value(node: Any, words: Sequence[str]) -> Any:
    for word in words:
        node = _get_child(node, word)
    return node
