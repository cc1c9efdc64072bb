"""Classes of an export: ids by name, and the class of each blueprint of the datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from synth_api.errors import InputError, suggest_name
from synth_api.recipe.categories import AGGLOMERATE, DEFAULT_SUPERCATEGORY
from synth_dataset.documents.attempt_document import Category, find_agglomerates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.export_options import ClassWord
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.options import ExportOptions

ONE_CLASS: Final = "particle"


@dataclass(frozen=True)
class ClassMap:
    """Classes with ids from 1; a blueprint in none of them is left out."""

    categories: tuple[Category, ...]
    """Classes of particles."""
    agglomerates: Category | None = None
    """Class of agglomerates, with the next id; None where the export has particles alone."""

    @property
    def all_categories(self) -> tuple[Category, ...]:
        """All classes in the order of their ids."""
        return self.categories if self.agglomerates is None else (*self.categories, self.agglomerates)

    def find_category(self, blueprint: str) -> Category | None:
        """Return the category of a blueprint's particles; None if they are left out."""
        return next((category for category in self.categories if blueprint in category.members), None)


class _BlueprintClass(NamedTuple):
    """A blueprint with its class in one dataset."""

    blueprint: str
    name: str
    supercategory: str
    location: str
    is_fibre: bool


def build_class_map(sources: Sequence[DatasetSource], options: ExportOptions) -> ClassMap:
    """Return the classes of an export, joined by name.

    One dataset keeps the order of its categories; the names of several are numbered in code-point order. Raises
    InputError for a mapping that lacks a class or names an unknown one, and for a clash of two datasets. Agglomerates
    have a class in the format `coco`, with a mapping if it names one, not with one class for all.
    """
    agglomerates = next(filter(None, (find_agglomerates(source.dataset.categories) for source in sources)), None)
    mapping = options.classes
    if agglomerates is not None and isinstance(mapping, Mapping):
        name = mapping.get(agglomerates.name)
        agglomerates = agglomerates.model_copy(update={"name": name}) if name is not None else None
        mapping = {each: chosen for each, chosen in mapping.items() if each != AGGLOMERATE}
    classes = _build_particle_classes(sources, mapping)
    if agglomerates is None or options.format != "coco" or mapping == "one":
        return classes
    if any(category.name == agglomerates.name for category in classes.categories):
        raise InputError("--classes", f"'{agglomerates.name}' is a class of particles and of agglomerates; give two")
    return replace(classes, agglomerates=agglomerates.model_copy(update={"id": len(classes.categories) + 1}))


def _build_particle_classes(
    sources: Sequence[DatasetSource], classes: ClassWord | Mapping[str, str | None]
) -> ClassMap:
    entries = list(_list_entries(sources, by_blueprint=classes == "blueprint"))
    if classes == "one":
        entries = [entry._replace(name=ONE_CLASS, supercategory=DEFAULT_SUPERCATEGORY) for entry in entries]
    elif isinstance(classes, Mapping):
        return _number(list(_apply_mapping(entries, classes)), [*classes.values()])
    names = [entry.name for entry in entries]
    return _number(entries, sorted(names) if len(sources) > 1 else names)


def _list_entries(sources: Sequence[DatasetSource], *, by_blueprint: bool) -> Iterator[_BlueprintClass]:
    for source in sources:
        for category in source.dataset.categories:
            for blueprint in category.members:
                name = blueprint if by_blueprint else category.name
                is_fibre = blueprint in category.fibres
                yield _BlueprintClass(blueprint, name, category.supercategory, source.location, is_fibre)


def _apply_mapping(entries: Sequence[_BlueprintClass], mapping: Mapping[str, str | None]) -> Iterator[_BlueprintClass]:
    names = {entry.name for entry in entries}
    for name in sorted(names - set(mapping)):
        raise InputError("--classes", f"the file has no entry for '{name}'; add '{name}: CLASS', or null to drop it")
    for name in mapping:
        if name not in names:
            raise InputError("--classes", f"the file has '{name}', which is no class; {suggest_name(name, names)}")
    for entry in entries:
        if (chosen := mapping[entry.name]) is not None:
            yield entry._replace(name=chosen)


def _number(entries: Sequence[_BlueprintClass], order: Sequence[str | None]) -> ClassMap:
    """Return the classes in an order of their names. Raises InputError if two datasets mean different things."""
    classes: dict[str, Category] = {}
    owners: dict[str, _BlueprintClass] = {}
    for entry in entries:
        first = owners.setdefault(entry.blueprint, entry)
        other = next((one for one in owners.values() if one.name == entry.name), first)
        if first.name != entry.name or other.supercategory != entry.supercategory:
            _report_clash(first if first.name != entry.name else other, entry)
        known = classes.setdefault(
            entry.name, Category(id=0, name=entry.name, supercategory=entry.supercategory, blueprints=())
        )
        members = tuple(sorted({*known.blueprints, entry.blueprint}))
        fibres = tuple(sorted({*known.fibres, *([entry.blueprint] if entry.is_fibre else [])}))
        classes[entry.name] = known.model_copy(update={"blueprints": members, "fibres": fibres})
    names = [name for name in dict.fromkeys(order) if name in classes]
    return ClassMap(tuple(classes[name].model_copy(update={"id": place}) for place, name in enumerate(names, start=1)))


def _report_clash(first: _BlueprintClass, second: _BlueprintClass) -> None:
    """Raise InputError for a blueprint of two classes, or a class of two supercategories."""
    one, two = (
        f"'{entry.blueprint}' of class '{entry.name}' ({entry.supercategory}) in {entry.location}"
        for entry in (first, second)
    )
    raise InputError("DATASET", f"{one} does not fit {two}; take --classes one or a file, or export them apart")
