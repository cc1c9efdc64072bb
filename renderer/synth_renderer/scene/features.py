"""Features of objects of one kind, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_api.prototypes.feature import Feature, FeatureType, FeatureValue
from synth_renderer.model.staged_scene import FeatureColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

COMPONENTS: Final = {"location_x": ("location", 0), "location_y": ("location", 1), "location_z": ("location", 2)}
"""Features that are one component of another."""
FACTORS: Final = ("width", "height")
"""Factors on the y and z extents, which new `dimensions` make 1."""


class FeatureTable:
    """Features of n objects in a fixed order; an object may lack a feature that another has.

    Numbers are stored as float64 (n,) or (n, k), everything else as objects (n,).
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._values: dict[str, NDArray[Any]] = {}
        self._present: dict[str, NDArray[np.bool_]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._present

    def list_names(self) -> list[str]:
        """Return the names of features that at least one object has."""
        return [name for name, present in self._present.items() if present.any()]

    def find_present(self, name: str) -> NDArray[np.bool_]:
        """Return True for each object (n,) that has the feature."""
        return self._present.get(name, np.zeros(self.rows, dtype=bool))

    def read_column(self, name: str) -> FeatureColumn:
        """Return values and presence of a feature; values of objects without it are undefined."""
        return FeatureColumn(self._find_values(name), self.find_present(name))

    def _find_values(self, name: str) -> NDArray[Any]:
        whole, component = COMPONENTS.get(name, (name, None))
        values = self._values.get(whole)
        if values is None:
            return np.zeros(self.rows)
        return values if component is None else values[:, component]

    def read_value(self, name: str, row: int) -> FeatureValue:
        """Return one object's value as a number, string, bool or tuple."""
        value: FeatureValue | np.ndarray[Any, Any] | np.float64 = self._find_values(name)[row]
        if isinstance(value, np.ndarray):
            return tuple(float(part) for part in value)
        return float(value) if isinstance(value, np.float64) else value

    def read_row(self, row: int) -> Mapping[str, FeatureValue]:
        """Return one object's features as a lazy mapping."""
        return _Row(self, row)

    def declare(self, name: str, rows: NDArray[np.bool_], value: FeatureValue, kind: FeatureType | None = None) -> None:
        """Add a feature with a first value to the objects `rows` (n,); `kind` None stores Python objects."""
        self._present[name] = self.find_present(name) | rows
        whole, component = COMPONENTS.get(name, (name, None))
        if whole not in self._values:
            self._values[whole] = _make_column(self.rows, value if component is None else (0.0, 0.0, 0.0), kind)
        if component is None:
            for row in np.flatnonzero(rows):
                self._values[name][row] = value

    def set_value(self, name: str, row: int, value: FeatureValue) -> None:
        """Set the value of one object's feature."""
        whole, component = COMPONENTS.get(name, (name, None))
        self._values[whole][row if component is None else (row, component)] = value

    def set_values(self, name: str, values: NDArray[Any], rows: NDArray[np.bool_]) -> None:
        """Set the values (m, …) of the m objects `rows` (n,)."""
        self._values[name][rows] = values

    def select_rows(self, chosen: NDArray[np.int64]) -> FeatureTable:
        """Return the table of the objects `chosen` (m,), in that order."""
        table = FeatureTable(len(chosen))
        table._values = {name: values[chosen] for name, values in self._values.items()}
        table._present = {name: present[chosen] for name, present in self._present.items()}
        return table


@dataclass(frozen=True)
class _Row(Mapping[str, "FeatureValue"]):
    table: FeatureTable
    row: int

    def __getitem__(self, name: str) -> FeatureValue:
        if name not in self.table or not self.table.find_present(name)[self.row]:
            raise KeyError(name)
        return self.table.read_value(name, self.row)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.table.list_names() if self.table.find_present(name)[self.row])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _make_column(rows: int, value: FeatureValue, kind: FeatureType | None) -> NDArray[Any]:
    if kind in (FeatureType.VECTOR, FeatureType.COLOR) or (kind is None and isinstance(value, tuple)):
        assert isinstance(value, tuple)
        return np.zeros((rows, len(value)))
    if kind is FeatureType.FLOAT:
        return np.zeros(rows)
    return np.empty(rows, dtype=object)


def declare_prototype(
    table: FeatureTable, rows: NDArray[np.bool_], features: Mapping[str, Feature], constants: Mapping[str, FeatureValue]
) -> None:
    """Declare a prototype's features at their defaults, or at a blueprint's `features:` constants, dimensions first."""
    for name, feature in features.items():
        table.declare(name, rows, feature.default, feature.type)
    values = (dict.fromkeys(FACTORS, 1.0) if "dimensions" in constants else {}) | dict(constants)
    for name in features.keys() & values.keys():
        for row in np.flatnonzero(rows):
            table.set_value(name, int(row), values[name])


def concatenate_tables(tables: Iterable[FeatureTable], order: NDArray[np.int64]) -> FeatureTable:
    """Return the rows of all tables one after another, in the order of the indices `order`."""
    parts = list(tables)
    joined = FeatureTable(sum(part.rows for part in parts))
    start = 0
    for part in parts:
        rows = np.zeros(joined.rows, dtype=bool)
        rows[start : start + part.rows] = True
        for name, present in part._present.items():
            if name not in COMPONENTS:
                _copy_column(joined, part, name, rows)
            joined._present[name] = joined.find_present(name)
            joined._present[name][rows] = present
        start += part.rows
    return joined.select_rows(order)


def _copy_column(joined: FeatureTable, part: FeatureTable, name: str, rows: NDArray[np.bool_]) -> None:
    values = part._values[name]
    if name not in joined._values:
        joined._values[name] = np.zeros((joined.rows, *values.shape[1:]), dtype=values.dtype)
    joined._values[name][rows] = values
