"""Names of modules, classes, functions and constants, as docs/glossary.md and CONTRIBUTING.md want them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Modules = dict[Path, ast.Module]

IRREGULAR = frozenset(Path(__file__).with_name("irregular_participles.txt").read_text().split())
"""Past participles that do not end in -ed. `read`, `set`, `split`, `put` and `cut` are verbs as well: see VERBS."""
VERBS = frozenset({"cut", "embed", "feed", "need", "put", "read", "seed", "set", "shed", "speed", "split", "spread"})
"""Words of a participle's form that name what a function does, or a noun."""
AUXILIARIES = frozenset({"are", "can", "has", "is", "must", "needs", "was", "were"})
SUPERLATIVES = frozenset({"FEWEST", "HIGHEST", "LARGEST", "LEAST", "LONGEST", "LOWEST", "MOST", "SHORTEST", "SMALLEST"})
MIN_DOCSTRING_WORDS = 4


def test_a_module_name_occurs_once_in_its_package(modules: Modules) -> None:
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in modules:
        if not path.stem.startswith("__"):
            places[path.parts[0], path.stem].append(str(path))
    assert [paths for paths in places.values() if len(paths) > 1] == []


def test_a_class_name_occurs_once_in_all_packages(modules: Modules) -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_a_function_is_a_verb_or_a_noun_and_no_bare_participle(modules: Modules) -> None:
    assert [f"{path}: {name}" for path, name in functions(modules) if is_bare_participle(name)] == []


@pytest.mark.parametrize("name", ["told", "_joined", "damage_explained", "begun"])
def test_a_bare_participle_is_found(name: str) -> None:
    assert is_bare_participle(name)


@pytest.mark.parametrize("name", ["is_finished", "read", "failed_runs", "join", "set_seed", "has_ended", "speed"])
def test_a_verb_a_noun_or_a_predicate_is_no_bare_participle(name: str) -> None:
    assert not is_bare_participle(name)


def test_a_constructor_says_what_it_reads(modules: Modules) -> None:
    assert [f"{path}: {name}" for path, name in functions(modules) if name == "of"] == []


def test_a_constant_is_a_minimum_or_a_maximum_and_no_superlative(modules: Modules) -> None:
    constants = [
        f"{path}: {target.id}"
        for path, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id.isupper() and SUPERLATIVES & set(target.id.split("_"))
    ]
    assert constants == []


def test_a_docstring_says_more_than_three_words(modules: Modules) -> None:
    short = [
        f"{path}: {getattr(node, 'name', path.stem)}: {text}"
        for path, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
        and (text := ast.get_docstring(node)) is not None
        and len(text.split()) < MIN_DOCSTRING_WORDS
    ]
    assert short == []


def functions(modules: Modules) -> Iterator[tuple[Path, str]]:
    """Path and name of every function and method."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name


def is_bare_participle(name: str) -> bool:
    """True if a name ends in a past participle and no auxiliary precedes it: `told`, `damage_explained`."""
    words = name.strip("_").split("_")
    return is_participle(words[-1]) and words[0] not in AUXILIARIES


def is_participle(word: str) -> bool:
    """True for past participles, except words that are verbs or nouns in the same form."""
    return word not in VERBS and (word in IRREGULAR or re.fullmatch(r"[a-z]+ed", word) is not None)
