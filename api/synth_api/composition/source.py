"""A recipe and its fragments as plain trees, read from files or from a custom resource."""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import rfc8785

from synth_api.composition.environment import substitute_environment
from synth_api.composition.groups import get_group, get_path, list_entry_keys, nest_content, read_package_header
from synth_api.composition.plain_values import check_plain
from synth_api.composition.yaml_file import load_yaml
from synth_api.errors import InputError, suggest_name
from synth_api.problems import quote_value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

Tree = dict[str, Any]
"""A plain YAML mapping: string keys; strings, finite numbers, bools, None, lists and mappings."""

SECTIONS: Final = ("parameters", "initial_runtime_state", "blueprints", "process_conditions", "synth_chain", "dataset")
MAX_BYTES: Final = 128 * 1024
"""Of recipe and fragments together, as canonical JSON."""

_ENDINGS: Final = (".yaml", ".yml")
"""Of a fragment's file."""
_RESERVED: Final = ("BaseRecipe", "_self_")

_NO_FRAGMENT_NAME: Final = (
    "cannot be the name of a fragment here; use letters, digits, '_' and '-', and not the recipe's own name"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecipeSource:
    """A recipe as it is written: `files` holds it and its fragments, file stem -> tree; `name` is the recipe's stem.

    Every tree has `defaults`, a list of keys of `files` (in a group with a slash before them, `groups`), `BaseRecipe`
    or `_self_`.
    """

    name: str
    files: Mapping[str, Tree]


class _TreeReader(Protocol):
    """Source of trees, and the words of error messages about it."""

    others: str
    """Phrase for the names that `defaults` may hold beside BaseRecipe and _self_."""

    def describe_place(self, name: str) -> str:
        """Return the path of the file or the name of the field that holds a tree."""

    def load_tree(self, name: str) -> Any:
        """Return the tree of a name, unchecked; None if the file is empty."""

    def list_fragments(self, group: str) -> Collection[str]:
        """Return the paths of the fragments in a group."""

    def read_package(self, path: str) -> str | None:
        """Return the package that a fragment's header names; None without a header."""

    def describe_fragment(self, name: str) -> str:
        """Return a phrase for the place where a fragment of this name belongs."""

    def suggest_fragment(self, name: str) -> str:
        """Return a suggestion for a fragment that does not exist."""


@dataclass(frozen=True)
class _FolderReader:
    recipe: Path
    environment: Mapping[str, str] | None
    others = "a file beside the recipe without its ending"

    def describe_place(self, name: str) -> str:
        return str(self._find_file(name))

    def load_tree(self, name: str) -> Any:
        tree = load_yaml(self._find_file(name))
        return (
            tree
            if self.environment is None
            else substitute_environment(self.describe_place(name), tree, self.environment)
        )

    def list_fragments(self, group: str) -> Collection[str]:
        parent = self.recipe.parent
        inside = (parent / group).resolve().is_relative_to(parent.resolve())
        files = [other for other in (parent / group).glob("*.y*ml") if inside and self._is_fragment(other)]
        return [f"{group}/{other.stem}" if group else other.stem for other in files]

    def read_package(self, path: str) -> str | None:
        try:
            with self._find_file(path).open(encoding="utf-8", errors="replace") as file:
                return read_package_header(file.readline(1000))
        except OSError:
            return None

    def describe_fragment(self, name: str) -> str:
        return f"a file {name}.yaml beside the recipe"

    def suggest_fragment(self, name: str) -> str:
        group, wanted = get_group(name), _fold_name(name.rpartition("/")[2])
        for other in sorted((self.recipe.parent / group).glob("*")):
            can_be_named = self._is_fragment(other) and _is_plain_name(other.stem)
            if _fold_name(other.name).startswith(f"{wanted}.") and other != self.recipe and not can_be_named:
                return f"there is a file '{other.name}': call it {name}.yaml"
        return suggest_name(name, self.list_fragments(group))

    def _is_fragment(self, file: Path) -> bool:
        return file.suffix in _ENDINGS and file != self.recipe

    def _find_file(self, name: str) -> Path:
        if name == self.recipe.stem:
            return self.recipe
        files = [self.recipe.parent / f"{name}{ending}" for ending in _ENDINGS]
        there = [file for file in files if file.exists()]
        if len(there) > 1:
            raise InputError(str(there[0]), f"is the fragment '{name}', and so is {there[1].name}; remove one of them")
        return there[0] if there else files[0]


@dataclass(frozen=True)
class _ObjectReader:
    name: str
    recipe: Any
    trees: Mapping[str, Any]
    others = "a key of `fragments`"

    def describe_place(self, name: str) -> str:
        return "recipe" if name == self.name else f"fragments.{name}"

    def load_tree(self, name: str) -> Any:
        return self.recipe if name == self.name else self.trees[name]

    def list_fragments(self, group: str) -> Collection[str]:
        return [path for path in self.trees if get_group(path) == group]

    def read_package(self, path: str) -> str | None:  # noqa: ARG002 — an object has no comments
        return None

    def describe_fragment(self, name: str) -> str:
        return f"a key '{name}' of `fragments`"

    def suggest_fragment(self, name: str) -> str:
        return suggest_name(name, self.list_fragments(get_group(name)))


def read_recipe(path: Path, environment: Mapping[str, str] | None = None) -> RecipeSource:
    """Read a recipe and, transitively, the sibling fragments that its `defaults` name.

    `environment` is what `${oc.env:NAME}` stands for; without it these are refused. Raises InputError for whatever
    cannot be a recipe: missing, too large, not YAML, tags, aliases that multiply, unknown sections, resolvers,
    `defaults` that are missing, cyclic or no plain names.
    """
    if "@" in path.stem:
        raise InputError(str(path), "a recipe's name cannot have '@', which stands before a package; rename the file")
    return _read_source(path.stem, _FolderReader(path, environment))


def read_recipe_objects(name: str, recipe: Any, fragments: Mapping[str, Any] | None = None) -> RecipeSource:
    """Return the recipe of a custom resource: `spec.recipe` and `spec.fragments`, path without ending -> tree.

    Raises InputError as `read_recipe`, with the paths `recipe: …` and `fragments.<stem>: …`; fragments that nothing
    names are checked as well.
    """
    trees = dict(fragments or {})
    for stem in trees:
        if stem in (*_RESERVED, name) or not all(map(_is_plain_name, stem.split("/"))):
            raise InputError("fragments", f"'{stem}' {_NO_FRAGMENT_NAME}")
    place = _ObjectReader(name, recipe, trees)
    source = _read_source(name, place)
    used = {get_path(key) for key in source.files}
    _check_size("recipe", {**{stem: _check_tree(place, stem) for stem in trees if stem not in used}, **source.files})
    return source


def _read_source(name: str, place: _TreeReader) -> RecipeSource:
    files: dict[str, Tree] = {}
    _collect_files(place, name, files, ())
    _check_size(place.describe_place(name), files)
    if not any("BaseRecipe" in tree["defaults"] for tree in files.values()):
        raise InputError(
            place.describe_place(name),
            "this is a fragment: nothing in its `defaults` leads to BaseRecipe; name it in a recipe's `defaults`",
        )
    return RecipeSource(name, files)


def _collect_files(place: _TreeReader, name: str, files: dict[str, Tree], chain: tuple[str, ...]) -> None:
    if name in chain:
        circle = " -> ".join((*chain[chain.index(name) :], name))
        raise InputError(
            place.describe_place(get_path(name)), f"its `defaults` form a cycle, {circle}; take one of them out"
        )
    if name in files:
        return
    tree = files[name] = _check_tree(place, name)
    for entry in tree["defaults"]:
        key = entry.lstrip("/")
        if key not in _RESERVED:
            path = get_path(key)
            if path not in (name, *chain, *place.list_fragments(get_group(key))):
                raise InputError(
                    f"{place.describe_place(get_path(name))}: defaults",
                    f"there is no fragment '{path}', {place.describe_fragment(path)}; {place.suggest_fragment(path)}",
                )
            _collect_files(place, key, files, (*chain, name))


def _fold_name(name: str) -> str:
    """Return a name case-folded and in NFC, so that names that look alike are equal."""
    return unicodedata.normalize("NFC", name).casefold()


def _check_tree(place: _TreeReader, name: str) -> Tree:
    label, tree = place.describe_place(get_path(name)), place.load_tree(get_path(name))
    if tree is None:
        raise InputError(label, "the file is empty; a recipe is a YAML mapping with `defaults: [BaseRecipe, _self_]`")
    if not isinstance(tree, dict):
        raise InputError(label, f"must be a YAML mapping, not {quote_value(tree)}")
    if "hydra" in tree:
        _log.warning("%s: the section 'hydra' is ignored: Hydra's own settings do not apply here", label)
        tree = {key: value for key, value in tree.items() if key != "hydra"}
    check_plain(label, tree)
    sections = {key: value for key, value in tree.items() if key != "defaults"}
    for key in nest_content(name, sections) if sections else ():
        if key not in SECTIONS:
            raise InputError(f"{label}: {key}", f"a recipe has no section '{key}'; {suggest_name(key, SECTIONS)}")
    return {"defaults": _read_defaults(place, name, tree.get("defaults")), **sections}


def _read_defaults(place: _TreeReader, name: str, entries: Any) -> list[str]:
    """Return the keys of the files that the entries name with `_self_`, last unless written elsewhere.

    Within a group they begin with a slash, so that they mean the same in every file.
    """
    label, group = place.describe_place(get_path(name)), get_group(name)
    if entries is None:
        entries = []
    if not isinstance(entries, list):
        raise InputError(f"{label}: defaults", f"must be a list of names, not {quote_value(entries)}")
    names: list[str] = []
    for index, entry in enumerate(entries):
        keys = [entry] if entry in _RESERVED else list_entry_keys(entry, group)
        if (
            isinstance(entry, dict)
            and entry
            and all(str(key).split()[:1] == ["override"] and "hydra/" in str(key) for key in entry)
        ):
            _log.warning("%s: defaults[%d] is ignored: Hydra's own settings do not apply here", label, index)
        elif keys is None:
            written = quote_value(" ".join(map(str, entry)) if isinstance(entry, dict) else entry)
            raise InputError(
                f"{label}: defaults[{index}]",
                f"{written} is not allowed; name BaseRecipe, _self_, {place.others}, or a group, folder: file",
            )
        else:
            names += [_add_package(place, key, group) for key in keys]
    names = list(dict.fromkeys(names))
    return names if "_self_" in names else [*names, "_self_"]


def _add_package(place: _TreeReader, key: str, group: str) -> str:
    if key in _RESERVED:
        return key
    package = (
        None if "@" in key or get_path(key) not in place.list_fragments(get_group(key)) else place.read_package(key)
    )
    return f"{'/' if group else ''}{key}{f'@{package}' if package else ''}"


def _is_plain_name(name: str) -> bool:
    return bool(name) and all(letter.isalnum() or letter in "_-" for letter in name)


def _check_size(label: str, files: Mapping[str, Tree]) -> None:
    size = len(rfc8785.dumps(dict(files)))
    if size > MAX_BYTES:
        raise InputError(
            label, f"recipe and fragments have {size:,} bytes as JSON, at most {MAX_BYTES:,} are allowed; shorten them"
        )
