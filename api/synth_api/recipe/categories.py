"""Categories: the classes of a dataset's particles. Blueprints of one category are one class."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from synth_api.errors import InputError
from synth_api.problems import format_location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_SUPERCATEGORY: Final = "particle"
AGGLOMERATE: Final = "agglomerate"
"""Name and supercategory of the category of agglomerates."""


class BlueprintClass(NamedTuple):
    """Category and supercategory that a blueprint names; None where it names none."""

    category: str | None = None
    supercategory: str | None = None


@dataclass(frozen=True)
class ParticleCategory:
    """Class of particles: its name and the blueprints that belong to it, in code-point order.

    The class of agglomerates has no blueprints.
    """

    name: str
    supercategory: str
    blueprints: tuple[str, ...]
    fibres: tuple[str, ...] = ()
    """Those whose particles have a centre line."""
    agglomerates: bool = False


def group_blueprints(own: Mapping[str, BlueprintClass], added: Mapping[str, BlueprintClass]) -> list[ParticleCategory]:
    """Return the categories of blueprints by name: those of a recipe's `own` first, then those that a sweep adds.

    Both parts are in code-point order. Raises InputError for names that differ in case only, unless no blueprint names
    a category, and for a category with two supercategories.
    """
    members: dict[str, dict[str, BlueprintClass]] = defaultdict(dict)
    for blueprints in (own, added):
        for blueprint, named in sorted(blueprints.items(), key=lambda item: item[1].category or item[0]):
            members[named.category or blueprint][blueprint] = named
    _check_case(members)
    return [
        ParticleCategory(name, _find_supercategory(name, blueprints), tuple(sorted(blueprints)))
        for name, blueprints in members.items()
    ]


def add_agglomerates(
    categories: Iterable[ParticleCategory], own: Mapping[str, BlueprintClass]
) -> list[ParticleCategory]:
    """Return the categories with that of agglomerates after those of a recipe's `own` blueprints.

    Raises InputError for a category of particles with its name.
    """
    listed = list(categories)
    for category in listed:
        if category.name.casefold() == AGGLOMERATE:
            problem = f"'{category.name}' is the category of the agglomerates themselves; write another one"
            raise InputError(_locate(category.blueprints[0], "category"), problem)
    place = sum(any(blueprint in own for blueprint in category.blueprints) for category in listed)
    return [*listed[:place], ParticleCategory(AGGLOMERATE, AGGLOMERATE, (), agglomerates=True), *listed[place:]]


def join_categories(
    before: Iterable[ParticleCategory], added: Iterable[ParticleCategory]
) -> tuple[ParticleCategory, ...]:
    """Return the categories of a dataset followed by the new ones of a sweep, which come in code-point order.

    Raises InputError for a blueprint that has another category in the sweep.
    """
    joined = {category.name: category for category in before}
    category_of = {blueprint: name for name, category in joined.items() for blueprint in category.blueprints}
    for category in sorted(added, key=lambda each: each.name):
        for blueprint in category.blueprints:
            known = category_of.setdefault(blueprint, category.name)
            if known != category.name:
                problem = f"is '{category.name}' here and '{known}' in the dataset; write the same one"
                raise InputError(_locate(blueprint, "category"), problem)
        old = joined.get(category.name, category)
        if old.agglomerates != category.agglomerates:
            problem = f"'{category.name}' is a category of particles and that of agglomerates; write another one"
            raise InputError(_locate((*old.blueprints, *category.blueprints)[0], "category"), problem)
        blueprints = tuple(sorted({*old.blueprints, *category.blueprints}))
        fibres = tuple(sorted({*old.fibres, *category.fibres}))
        joined[category.name] = replace(old, blueprints=blueprints, fibres=fibres)
    return tuple(joined.values())


def _check_case(members: Mapping[str, Mapping[str, BlueprintClass]]) -> None:
    first: dict[str, str] = {}
    for name, blueprints in members.items():
        other = first.setdefault(name.casefold(), name)
        both = (*members[other].items(), *blueprints.items())
        written = [blueprint for blueprint, named in both if named.category]
        if other != name and written:
            raise InputError(
                _locate(written[0], "category"),
                f"the categories '{other}' and '{name}' differ in case only; write them alike",
            )


def _find_supercategory(name: str, blueprints: Mapping[str, BlueprintClass]) -> str:
    given = {named.supercategory: blueprint for blueprint, named in sorted(blueprints.items()) if named.supercategory}
    if len(given) > 1:
        raise InputError(
            _locate(max(given.values()), "supercategory"),
            f"the category '{name}' has the supercategories {_join_words(given)}; give its blueprints the same one",
        )
    return next(iter(given), DEFAULT_SUPERCATEGORY)


def _locate(blueprint: str, key: str) -> str:
    return format_location(("blueprints", "particles", blueprint, key))


def _join_words(words: Iterable[str]) -> str:
    return " and ".join(f"'{word}'" for word in sorted(words))
