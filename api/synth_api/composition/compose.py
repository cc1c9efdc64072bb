"""Composition by Hydra: defaults lists and overrides, in a folder that holds nothing but the recipe's own files."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import hydra
from hydra.conf import HydraConf
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from synth_api.composition.ascii_words import AsciiWords
from synth_api.composition.groups import nest_content
from synth_api.composition.interpolation import mask_interpolations, resolve_interpolations, unmask_interpolations
from synth_api.composition.overrides import index_overrides
from synth_api.composition.scalar_overrides import replace_scalars
from synth_api.composition.skeleton import BaseRecipe, list_keys, remove_unset_names
from synth_api.errors import InputError, suggest_name
from synth_api.temporary import create_temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth_api.composition.source import RecipeSource, Tree

_HYDRA_IS_PROCESS_WIDE: Final = Lock()
_SENTENCES: Final = (
    ("does not support deletion", "a key of the language cannot be deleted; override its value instead"),
    ("is not Optional", "must be a mapping, not null; leave it out or write its entries"),
    (
        "Invalid type assigned|Cannot assign|Unexpected type|Merge error|Cannot merge",
        "must be a mapping with its kind's keys",
    ),
    (
        "Incompatible key type|is incompatible with",
        "null, true, false and numbers cannot be names; use letters, digits, '_' and '-', a letter first",
    ),
    ("not in struct", "there is no such key to change; to add it, write its own override with a + in front"),
)
"""Patterns of Hydra's and OmegaConf's messages, and the sentence for a recipe's author."""
_RECIPE: Final = "..recipe"
"""Stem of the recipe's own file during composition, whatever its name; no fragment can have it."""
_NOT_IN_YAML: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def compose_recipe(source: RecipeSource, overrides: Sequence[str] = ()) -> Tree:
    """Return the recipe with its fragments and overrides merged; `${a.b}` stays as it is, missing values are `???`.

    `overrides` follow Hydra's grammar without sweeps; step ids may replace indices. Raises InputError.
    """
    tree = _compose_tree(source, ())
    if not overrides:
        return remove_unset_names(tree)
    indexed = tuple(index_overrides(tree, overrides))
    replaced = replace_scalars(tree, indexed)
    return remove_unset_names(_compose_tree(source, indexed) if replaced is None else replaced)


def resolve(tree: Tree) -> Tree:
    """Return the tree with its interpolations replaced. Raises InputError for those that cannot be resolved."""
    return resolve_interpolations(tree)


def _compose_tree(source: RecipeSource, overrides: tuple[str, ...]) -> Tree:
    names = {key: _RECIPE if key == source.name else f"fragment.{n}" for n, key in enumerate(source.files)}
    files = {
        names[key]: {
            **nest_content(key, tree),
            "defaults": [names.get(entry.lstrip("/"), entry) for entry in tree["defaults"]],
        }
        for key, tree in source.files.items()
    }
    text = json.dumps(files, ensure_ascii=False)
    words = AsciiWords(text, *overrides)
    try:
        composed = _compose_files(words.encode(text), tuple(map(words.encode, overrides)))
    except InputError as error:
        raise InputError(words.decode(error.path) or source.name, words.decode(error.problem)) from None
    tree: Tree = words.decode_value(composed)
    return tree


@lru_cache(maxsize=16)
def _compose_files(files: str, overrides: tuple[str, ...]) -> Tree:
    """Compose encoded files, `files` being JSON. Cached: Hydra takes 0.1 s, and many sweeps share one recipe."""
    with _HYDRA_IS_PROCESS_WIDE, _store_nodes(), create_temporary_folder() as folder:
        for name, tree in json.loads(files).items():
            _write_file(folder / f"{name}.yaml", tree, is_recipe=name == _RECIPE)
        try:
            with hydra.initialize_config_dir(str(folder), version_base="1.3"):
                config = hydra.compose(_RECIPE, list(overrides))
        except (HydraException, OmegaConfBaseException, AssertionError) as error:  # asserts where a key is below null
            raise _convert_error(error) from None
        finally:
            GlobalHydra.instance().clear()
    composed: Any = unmask_interpolations(OmegaConf.to_container(config, resolve=False))
    return dict(composed)


@contextmanager
def _store_nodes() -> Iterator[None]:
    """Let Hydra's config store have nothing but BaseRecipe and Hydra's settings without those of its plugins.

    Nothing here uses them, and composing them took half of the time of a small recipe.
    """
    store = ConfigStore.instance()
    former, store.repo = store.repo, {}
    store.store(group="hydra", name="config", node=HydraConf(defaults=[]), provider="hydra")
    store.store(name="BaseRecipe", node=BaseRecipe)
    try:
        yield
    finally:
        store.repo = former


def _write_file(path: Path, tree: Tree, *, is_recipe: bool) -> None:
    """Write one file. BaseRecipe comes once and first, whatever file names it: merged later it would reset values."""
    defaults = [name for name in tree["defaults"] if name != "BaseRecipe"]
    whole = {**mask_interpolations(tree), "defaults": ["BaseRecipe", *defaults] if is_recipe else defaults}
    text = json.dumps(whole, ensure_ascii=False)
    # JSON is YAML but for a few characters that YAML wants escaped.
    path.write_text(_NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text), encoding="utf-8")


def _convert_error(error: Exception) -> InputError:
    text = f"{error}\n{error.__cause__ or ''}"
    key = re.search(r"full_key: (\S+)", text)
    unknown = re.search(r"Key '(.*?)' not in '(\w+)'", text)
    if unknown and key:
        return InputError(
            key[1], f"there is no key '{unknown[1]}' here; {suggest_name(unknown[1], list_keys(unknown[2]))}"
        )
    words = " ".join(str(error.__cause__ or error).partition("\n")[0].split())
    for pattern, sentence in _SENTENCES:
        if re.search(pattern, text):
            words = sentence
            break
    return InputError(key[1] if key else "", words)
