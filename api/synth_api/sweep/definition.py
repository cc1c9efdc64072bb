"""A sweep: one recipe and axes whose product gives N runs, numbered 0 to N - 1, last axis fastest."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from synth_api.canonical_json import canonical_json
from synth_api.composition.compose import compose_recipe
from synth_api.composition.overrides import index_overrides, index_path
from synth_api.composition.source import read_recipe
from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.sweep.axes import Axis, parse_arguments
from synth_api.sweep.axis_values import DecimalRange, Value, replace_infinities
from synth_api.sweep.blueprints import check_axis, list_categories
from synth_api.sweep.dataset_name import check_dataset_name
from synth_api.sweep.run_keys import generate_keys
from synth_api.sweep.run_space import RunSpace
from synth_api.sweep.structured_axes import build_axes, build_boxes
from synth_api.sweep.value_checks import check_values
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from synth_api.composition.source import RecipeSource, Tree
    from synth_api.recipe.categories import ParticleCategory
    from synth_api.resources.synth_sweep import AxisSpec
    from synth_api.sweep.grid import Box


_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sweep(RunSpace):
    """Runs of one recipe under the name of their dataset."""

    name: str
    categories: tuple[ParticleCategory, ...] = ()
    """Categories of the particle blueprints of all runs; those of the recipe come first, equal in all its sweeps."""
    card: DatasetCard = field(default_factory=DatasetCard)
    """What recipe and sweep say of the dataset."""

    @classmethod
    def load(cls, path: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Sweep:
        """Read a recipe file and a command line's arguments. Raises InputError as `read_recipe` and `from_source`."""
        return cls.from_source(read_recipe(path, environment), arguments)

    @classmethod
    def from_source(
        cls,
        source: RecipeSource,
        overrides: Sequence[str] = (),
        axes: Sequence[AxisSpec] = (),
        exclude: Sequence[Mapping[str, Value]] = (),
        card: DatasetCard | None = None,
    ) -> Sweep:
        """Build a sweep from axes in Hydra's grammar (`overrides`) or structured axes (`axes`) and check their values.

        `exclude` holds partial assignments, dotted path -> value: runs that match one are excluded, and the others
        keep their numbers. `card` goes before what the recipe says of the dataset. Raises InputError for any invalid
        argument; logs a warning for each value without effect.
        """
        given = parse_arguments(overrides).with_axes(build_axes(axes))
        for axis in given.axes:
            check_axis(axis)
        base = _add_card(compose_recipe(source, given.fixed), card)
        index = partial(index_path, base)
        swept = given.index_paths(index).axes
        # Hydra's rules for an override: a key to change must be there, one to add must not.
        index_overrides(base, [axis.probe for axis in swept])
        sweep = cls(
            name=source.name,
            axes=swept,
            base=base,
            boxes=build_boxes(exclude, swept, index),
        )
        if not sweep.count:
            raise InputError("exclude", "leaves no run; take something out of it")
        for sentence in check_values(sweep):
            _log.warning("%s: %s", source.name, sentence)
        first = sweep.build_recipe(next(filter(sweep.is_included, range(sweep.runs))))
        categories = list_categories(compose_recipe(source), first, swept)
        return replace(sweep, categories=categories, card=first.dataset)

    @staticmethod
    def list_axis_paths(
        source: RecipeSource, overrides: Sequence[str] = (), axes: Sequence[AxisSpec] = ()
    ) -> tuple[str, ...]:
        """Return the paths of the axes of `from_source`, without a check of their values. Raises InputError."""
        given = parse_arguments(overrides).with_axes(build_axes(axes))
        base = compose_recipe(source, given.fixed)
        return tuple(axis.path for axis in given.index_paths(partial(index_path, base)).axes)

    def with_name(self, name: str | None) -> Sweep:
        """Return the sweep under a name for its dataset; None keeps the stem of the recipe's file.

        Raises InputError for an invalid name of a dataset.
        """
        given = self.name if name is None else name
        check_dataset_name(given)
        return replace(self, name=given)

    def keys(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Return the keys of runs start … stop - 1 in order, 32 bytes each, equal to `key` but many times faster.

        An excluded run has `EXCLUDED_KEY`. Memory does not grow with the number of runs.
        Raises InputError at the first run whose values do not fit together.
        """
        return generate_keys(self, start, self.runs if stop is None else min(stop, self.runs))

    def plan(self, output: str = "", batch_size: int | None = None) -> str:
        """Return the hash of the sweep's inputs, 64 hexadecimal digits: recipe, axes, exclude, engine and output.

        `output` is `Output.identity`, `batch_size` as written in the spec.
        """
        document = {
            "recipe": self.recipe_digest,
            "axes": [_axis_to_json(axis) for axis in self.axes],
            "exclude": sorted(_box_to_json(box) for box in self.boxes),
            "engine": ENGINE_VERSION,
            "output": output,
            "batchSize": batch_size or "auto",
        }
        return _hash_tree(document)

    @property
    def recipe_digest(self) -> str:
        """sha256 of the composed recipe with its fixed overrides, 64 hexadecimal digits."""
        return _hash_tree(self.base)


def _add_card(base: Tree, card: DatasetCard | None) -> Tree:
    given = card.list_values() if card else {}
    return {**base, "dataset": {**base.get("dataset", {}), **given}} if given else base


def _axis_to_json(axis: Axis) -> dict[str, Any]:
    zipped = {"zipped": True} if axis.zipped else {}
    values = axis.values
    if isinstance(values, range | DecimalRange):
        step = values[1] - values[0] if len(values) > 1 else 0
        return {"path": axis.path, "range": [values[0], step, len(values)], **zipped}
    return {"path": axis.path, "values": list(values), **zipped}


def _box_to_json(box: Box) -> list[list[Any]]:
    return [[dimension, sorted(digits)] for dimension, digits in sorted(box.items())]


def _hash_tree(tree: Any) -> str:
    return sha256(canonical_json(replace_infinities(tree))).hexdigest()
