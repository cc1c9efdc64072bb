"""A recipe file and the fragments beside it, as plain trees; nothing else is ever read."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import rfc8785
import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

from synth_api.errors import InputError, nearest
from synth_api.recipe.interpolation import check_interpolation
from synth_api.recipe.problems import dotted, shown
from synth_api.recipe.yaml_loader import RecipeLoader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Tree = dict[str, Any]
"""A plain YAML mapping: string keys; strings, finite numbers, bools, None, lists and mappings."""

SECTIONS: Final = ("initial_runtime_state", "blueprints", "process_conditions", "synth_chain")
MAX_BYTES: Final = 128 * 1024
"""Of recipe and fragments together, as canonical JSON."""

_MAX_FILE_BYTES: Final = 256 * 1024
_MAX_KEY: Final = 200
_MAX_DEPTH: Final = 50
_RESERVED: Final = ("BaseRecipe", "_self_")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecipeSource:
    """A recipe as it is written: `files` holds it and its fragments, file stem -> tree; `name` is the recipe's stem.

    Every tree has `defaults`, a list of plain names that are stems in `files`, `BaseRecipe` or `_self_`.
    """

    name: str
    files: Mapping[str, Tree]


def read_recipe(path: Path) -> RecipeSource:
    """Read a recipe and, transitively, the sibling fragments that its `defaults` name.

    Raises InputError for whatever cannot be a recipe: missing, too large, not YAML, tags, anchors, unknown sections,
    interpolations other than `${a.b}`, `defaults` that are missing, cyclic or no plain names.
    """
    files: dict[str, Tree] = {}
    _collect(path, files, ())
    _check_size(path, files)
    if not any("BaseRecipe" in tree["defaults"] for tree in files.values()):
        raise InputError(
            str(path),
            "this is a fragment: nothing in its `defaults` leads to BaseRecipe; name it in a recipe's `defaults`",
        )
    return RecipeSource(path.stem, files)


def _collect(path: Path, files: dict[str, Tree], chain: tuple[str, ...]) -> None:
    if path.stem in chain:
        circle = " -> ".join((*chain[chain.index(path.stem) :], path.stem))
        raise InputError(str(path), f"its `defaults` lead in a circle, {circle}; take one of them out")
    if path.stem in files:
        return
    tree = files[path.stem] = _checked(path, _load(path))
    for entry in tree["defaults"]:
        if entry not in _RESERVED:
            _collect(_fragment(path, entry), files, (*chain, path.stem))


def _fragment(path: Path, name: str) -> Path:
    fragment = path.with_name(f"{name}.yaml")
    if not fragment.is_file():
        siblings = [other.stem for other in path.parent.glob("*.yaml") if other != path]
        raise InputError(
            f"{path}: defaults",
            f"there is no fragment '{name}', a file {name}.yaml beside the recipe; {nearest(name, siblings)}",
        )
    return fragment


def _load(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise InputError(
                str(path), f"the file has {size:,} bytes, a recipe at most {_MAX_FILE_BYTES:,}; shorten it"
            )
        text = path.read_text(encoding="utf-8")
        _check_events(path, text)
        return yaml.load(text, RecipeLoader)
    except InputError:
        raise
    except UnicodeDecodeError:
        raise InputError(str(path), "this is not YAML: it is no text in UTF-8; give a recipe file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}; give the path of a recipe file") from None
    except yaml.YAMLError as error:
        raise InputError(str(path), f"this is not YAML: {_yaml_problem(error)}; correct it there") from None
    except ValueError:
        raise InputError(str(path), "a number in it has too many digits; write one within ±(2^53 - 1)") from None


def _check_events(path: Path, text: str) -> None:
    """Refuse anchors, tags and deep nesting as they come: PyYAML takes minutes for 100,000 brackets."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError(str(path), f"is nested more than {_MAX_DEPTH} deep; flatten it")
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise InputError(
                str(path),
                f"line {line}: the YAML anchor or alias '{event.anchor}' is not allowed; use ${{a.b}} instead",
            )
        tag = getattr(event, "tag", None)
        if tag:
            written = tag.replace("tag:yaml.org,2002:", "!!", 1)
            raise InputError(str(path), f"line {line}: the YAML tag '{written}' is not allowed; write a plain value")


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or ' '.join(str(error).split())}{place}"


def _checked(path: Path, tree: Any) -> Tree:
    if tree is None:
        raise InputError(
            str(path), "the file is empty; a recipe is a YAML mapping with `defaults: [BaseRecipe, _self_]`"
        )
    if not isinstance(tree, dict):
        raise InputError(str(path), f"must be a YAML mapping, not {shown(tree)}")
    _check_plain(path, tree, ())
    if "hydra" in tree:
        _log.warning("%s: the section 'hydra' is ignored; nothing of it applies here", path)
    sections = {key: value for key, value in tree.items() if key not in ("hydra", "defaults")}
    for key in sections:
        if key not in SECTIONS:
            raise InputError(f"{path}: {key}", f"a recipe has no section '{key}'; {nearest(key, SECTIONS)}")
    return {"defaults": _defaults(path, tree.get("defaults")), **sections}


def _defaults(path: Path, entries: Any) -> list[str]:
    """The entries with `_self_`, last unless written elsewhere."""
    if entries is None:
        entries = []
    if not isinstance(entries, list):
        raise InputError(f"{path}: defaults", f"must be a list of names, not {shown(entries)}")
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and all(str(key).split()[0] == "override" and "hydra/" in str(key) for key in entry):
            _log.warning("%s: defaults[%d] is ignored; nothing of hydra's own settings applies here", path, index)
        elif not isinstance(entry, str) or not _is_plain(entry):
            written = shown(entry) if isinstance(entry, str) else "an entry that is no name"
            raise InputError(
                f"{path}: defaults[{index}]",
                f"{written} is not allowed; name BaseRecipe, _self_ or a file beside the recipe without its ending",
            )
    names = list(dict.fromkeys(entry for entry in entries if isinstance(entry, str)))
    return names if "_self_" in names else [*names, "_self_"]


def _is_plain(name: str) -> bool:
    return bool(name) and all(letter.isalnum() or letter in "_-" for letter in name)


def _check_plain(path: Path, value: Any, location: tuple[str | int, ...]) -> None:
    where = f"{path}: {dotted(location)}" if location else str(path)
    if len(location) > _MAX_DEPTH:
        raise InputError(where, f"is nested more than {_MAX_DEPTH} deep; flatten it")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or len(key) > _MAX_KEY:
                raise InputError(
                    where, f"the key {shown(key)} must be a string of at most {_MAX_KEY} characters; quote it"
                )
            _check_plain(path, item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_plain(path, item, (*location, index))
    elif isinstance(value, float) and not isfinite(value):
        raise InputError(where, f"must be a finite number, not {value}; leave a limit out, or write null, for none")
    elif isinstance(value, int) and abs(value) >= 2**53:
        raise InputError(where, f"must lie within ±(2^53 - 1), {shown(value)} does not")
    elif isinstance(value, str):
        check_interpolation(where, value)


def _check_size(path: Path, files: Mapping[str, Tree]) -> None:
    size = len(rfc8785.dumps(dict(files)))
    if size > MAX_BYTES:
        raise InputError(
            str(path),
            f"recipe and fragments have {size:,} bytes as JSON, at most {MAX_BYTES:,} are allowed; shorten them",
        )
