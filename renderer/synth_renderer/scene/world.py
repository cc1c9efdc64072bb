"""The scene while its generation steps run: particles, the measurement technique, saved states."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_api.prototypes.feature import FeatureType
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.model.errors import RenderError
from synth_renderer.model.transforms import compute_middle, multiply_quaternions, rotation_matrix, transform_points
from synth_renderer.scene.features import FACTORS, FeatureTable, concatenate_tables, declare_prototype
from synth_renderer.techniques.registry import TECHNIQUES as TECHNIQUE_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_api.recipe.model import MeasurementTechniqueBlueprint, ParticleBlueprint, Recipe
    from synth_renderer.geometry.shapes import Shape
    from synth_renderer.model.camera import Camera
    from synth_renderer.model.deposit_report import DepositReport
    from synth_renderer.model.mesh import Mesh
    from synth_renderer.model.relax_report import PhysicsReport
    from synth_renderer.model.staged_scene import Box
    from synth_renderer.techniques.base.technique import Technique


MEMBERSHIP: Final = np.dtype([("agglomerate", np.int64), ("contacts", np.int64), ("fractal_dimension", np.float64)])
"""A particle's agglomerate, from 1, 0 for none, its contacts there, and the fractal dimension of such agglomerates."""


@dataclass
class Particles:
    """N particles in id order: code-point order of blueprint names, then index.

    quaternions (N, 4) w x y z, unit; membership (N,) of the type MEMBERSHIP; the sizes come from the features; supports
    has the `support` of each particle's shape, see `Shape`.
    """

    names: list[str]
    blueprints: list[str]
    geometries: list[str]
    materials: list[str]
    features: FeatureTable
    quaternions: NDArray[np.float64]
    membership: NDArray[np.void]
    supports: list[tuple[float, ...]]

    @classmethod
    def make_empty(cls) -> Particles:
        """Return a table of no particles."""
        return cls([], [], [], [], FeatureTable(0), np.zeros((0, 4)), np.zeros(0, MEMBERSHIP), [])

    def __len__(self) -> int:
        return len(self.names)

    def set_feature(self, row: int, name: str, value: FeatureValue) -> None:
        """Set one particle's feature; new `dimensions` reset the factors `width` and `height` to 1."""
        self.features.set_value(name, row, value)
        if name == "dimensions":
            for factor in FACTORS:
                if self.features.find_present(factor)[row]:
                    self.features.set_value(factor, row, 1.0)

    def remove(self, gone: NDArray[np.bool_]) -> Particles:
        """Return the particles without those of `gone` (N,); ids are renumbered, names stay."""
        kept = np.flatnonzero(~gone)
        return Particles(
            names=[self.names[row] for row in kept],
            blueprints=[self.blueprints[row] for row in kept],
            geometries=[self.geometries[row] for row in kept],
            materials=[self.materials[row] for row in kept],
            features=self.features.select_rows(kept),
            quaternions=self.quaternions[kept],
            membership=self.membership[kept],
            supports=[self.supports[row] for row in kept],
        )

    def find_ultimate_parents(self) -> NDArray[np.bool_]:
        """Return True for each particle (N,) that stands for itself or, as the first one, for its agglomerate."""
        agglomerates = self.membership["agglomerate"]
        first = np.zeros(len(self), dtype=bool)
        first[np.unique(agglomerates, return_index=True)[1]] = True
        return np.asarray(first | (agglomerates == 0))

    def list_members(self, row: int) -> NDArray[np.int64]:
        """Return the rows of a particle's agglomerate, ascending; its own without one."""
        agglomerate = self.membership["agglomerate"][row]
        return np.flatnonzero(self.membership["agglomerate"] == agglomerate) if agglomerate else np.array([row])

    def read_radii(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the radii of spheres, scene units."""
        return np.array([self.compute_size(int(row))[0] / 2 for row in rows])

    def complete_agglomerates(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the particles (N,) of the chosen ultimate parents: they and the others of their agglomerates."""
        parents, agglomerates = chosen & self.find_ultimate_parents(), self.membership["agglomerate"]
        return np.asarray(parents | ((agglomerates > 0) & np.isin(agglomerates, agglomerates[parents])))

    def move_with_agglomerate(self, row: int, name: str, value: FeatureValue) -> None:
        """Set the location of an ultimate parent, or a component of it; the others of its agglomerate move with it."""
        locations = self.features.read_column("location").values
        others = self.list_members(row)
        places = locations[others] - locations[row]
        self.set_feature(row, name, value)
        locations[others[others != row]] = locations[row] + places[others != row]

    def turn_with_agglomerate(
        self, row: int, quaternion: NDArray[np.float64], place: NDArray[np.float64] | None = None
    ) -> None:
        """Give a particle the orientation `quaternion` (4,), or turn its agglomerate by it, about its middle.

        The middle comes to `place` (3,), scene units; None leaves it where it is.
        """
        members, locations = self.list_members(row), self.features.read_column("location").values
        middle = compute_middle(locations[members])
        end = middle if place is None else place
        if len(members) == 1:
            self.quaternions[row], locations[row] = quaternion, end
            return
        locations[members] = transform_points(locations[members] - middle, rotation_matrix(quaternion), end)
        for member in members:
            self.quaternions[member] = multiply_quaternions(quaternion, self.quaternions[member])

    def compute_size(self, row: int) -> NDArray[np.float64]:
        """Return full extents (3,) along one particle's own axes, scene units."""
        features = self.features
        factors = [
            float(features.read_column(name).values[row]) if features.find_present(name)[row] else 1.0
            for name in FACTORS
        ]
        return np.asarray(features.read_column("dimensions").values[row] * np.array([1.0, *factors]))


@dataclass
class InvokedTechnique:
    """The measurement technique of the run; its table has one row."""

    name: str
    prototype: str
    background_material: str
    features: FeatureTable

    @property
    def technique(self) -> Technique:
        """The technique's implementation, from the registry."""
        return TECHNIQUE_OF[self.prototype]

    def compute_volume(self) -> Box:
        """Return the measurement volume for the current feature values."""
        return self.technique.build_volume(self.features.read_row(0))

    def build_camera(self) -> Camera:
        """Return the camera for the current feature values."""
        return self.technique.build_camera(self.features.read_row(0))

    def read_features(self) -> dict[str, FeatureValue]:
        """Return the values of all features by name."""
        return {name: self.features.read_value(name, 0) for name in self.features.list_names()}


@dataclass
class World:
    """State of a run while its generation steps read and change it."""

    recipe: Recipe
    particles: Particles = field(default_factory=Particles.make_empty)
    technique: InvokedTechnique | None = None
    physics: list[PhysicsReport | DepositReport] = field(default_factory=list)
    meshes: dict[Shape, Mesh] = field(default_factory=dict)
    """Meshes by shape, shared by all steps."""
    states: dict[str, tuple[Particles, InvokedTechnique | None]] = field(default_factory=dict)
    stopped_by: str | None = None
    """Name of the state at which a dry run stopped; None without one."""

    @property
    def seed(self) -> int:
        """Seed of the run, 0 <= seed < 2^53."""
        return self.recipe.initial_runtime_state.seed

    @cached_property
    def particle_blueprints(self) -> FeatureTable:
        """Features of the particle blueprints, one row each: custom features and `blueprint_name`."""
        return _build_blueprint_table(self.recipe.blueprints.particles)

    @cached_property
    def technique_blueprints(self) -> FeatureTable:
        """Features of the measurement technique blueprints, one row each."""
        return _build_blueprint_table(self.recipe.blueprints.measurement_techniques)

    def require_technique(self) -> InvokedTechnique:
        """Return the technique. Raises RenderError if no step has invoked one."""
        if self.technique is None:
            raise RenderError("no measurement technique has been invoked before this step")
        return self.technique

    def compute_pixel_size(self) -> float | None:
        """Return the width of a pixel, scene units; None in perspective."""
        return self.require_technique().build_camera().pixel_size

    def save_state(self, name: str) -> None:
        """Keep a copy of the scene under a name."""
        self.states[name] = copy.deepcopy((self.particles, self.technique))

    def load_state(self, name: str) -> None:
        """Return to the scene saved under a name."""
        self.particles, self.technique = copy.deepcopy(self.states[name])

    def invoke_technique(self, name: str, blueprint: MeasurementTechniqueBlueprint) -> None:
        """Make the blueprint the run's measurement technique. Raises RenderError if the run has one."""
        if self.technique is not None:
            raise RenderError(
                f"measurement technique {name}: {self.technique.name} is there already, a run has only one"
            )
        table, one = FeatureTable(1), np.ones(1, dtype=bool)
        prototype = blueprint.measurement_technique_prototype_name
        _declare_custom(table, one, name, blueprint)
        for features in (
            TECHNIQUES[prototype].features,
            MATERIALS[blueprint.measurement_volume_material_prototype_name].features,
            MATERIALS[blueprint.background_material_prototype_name].features,
        ):
            declare_prototype(table, one, features, blueprint.features)
        self.technique = InvokedTechnique(name, prototype, blueprint.background_material_prototype_name, table)

    def invoke_particles(self, name: str, blueprint: ParticleBlueprint, number: int) -> None:
        """Create particles of the blueprint at the origin. Raises RenderError for a blueprint invoked before."""
        if name in self.particles.blueprints:
            raise RenderError(f"particle blueprint {name} has been invoked before")
        made = _make_particles(name, blueprint, number)
        self.particles = _merge_particles(self.particles, made)


def _declare_custom(
    table: FeatureTable,
    rows: NDArray[np.bool_],
    name: str,
    blueprint: MeasurementTechniqueBlueprint | ParticleBlueprint,
) -> None:
    for feature in blueprint.custom_features:
        table.declare(feature.name, rows, feature.value)
    table.declare("blueprint_name", rows, name, FeatureType.STRING)


def _build_blueprint_table(blueprints: Mapping[str, ParticleBlueprint | MeasurementTechniqueBlueprint]) -> FeatureTable:
    table = FeatureTable(len(blueprints))
    for row, (name, blueprint) in enumerate(blueprints.items()):
        _declare_custom(table, np.arange(len(blueprints)) == row, name, blueprint)
    return table


def _make_particles(name: str, blueprint: ParticleBlueprint, number: int) -> Particles:
    table, every = FeatureTable(number), np.ones(number, dtype=bool)
    _declare_custom(table, every, name, blueprint)
    for prototype in (GEOMETRIES[blueprint.geometry_prototype_name], MATERIALS[blueprint.material_prototype_name]):
        declare_prototype(table, every, prototype.features, blueprint.features)
    stem = f"{blueprint.geometry_prototype_name}{name}"
    return Particles(
        names=[stem if index == 0 else f"{stem}.{index}" for index in range(number)],
        blueprints=[name] * number,
        geometries=[blueprint.geometry_prototype_name] * number,
        materials=[blueprint.material_prototype_name] * number,
        features=table,
        quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (number, 1)),
        membership=np.zeros(number, MEMBERSHIP),
        supports=[()] * number,
    )


def _merge_particles(old: Particles, new: Particles) -> Particles:
    blueprints = old.blueprints + new.blueprints
    order = np.array(sorted(range(len(blueprints)), key=blueprints.__getitem__), dtype=np.int64)

    def sort_both(first: list[str], second: list[str]) -> list[str]:
        both = first + second
        return [both[index] for index in order]

    return Particles(
        names=sort_both(old.names, new.names),
        blueprints=sort_both(old.blueprints, new.blueprints),
        geometries=sort_both(old.geometries, new.geometries),
        materials=sort_both(old.materials, new.materials),
        features=concatenate_tables([old.features, new.features], order),
        quaternions=np.concatenate([old.quaternions, new.quaternions])[order],
        membership=np.concatenate([old.membership, new.membership])[order],
        supports=[(old.supports + new.supports)[index] for index in order],
    )
