"""Files of a run beside its pictures: particle table, annotations, feature files."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_dataset.documents.annotations import Annotation, build_annotations
from synth_dataset.documents.particle_table import build_feature_table, build_particle_table, write_table
from synth_renderer.geometry import prototypes
from synth_renderer.labels.centre_lines import describe_centre_line
from synth_renderer.labels.layers import sort_layers
from synth_renderer.labels.masks import list_amodal_masks
from synth_renderer.labels.measure import measure_bodies
from synth_renderer.labels.occlusion import find_occluders, find_overlaps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureType
    from synth_dataset.documents.particle_table import Column
    from synth_renderer.labels.fragments import Fragments, VisibleSurface
    from synth_renderer.labels.masks import Masks
    from synth_renderer.labels.measure import Measurements
    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.mesh import Mesh
    from synth_renderer.model.staged_scene import Agglomerates, StagedScene


@dataclass(frozen=True)
class Records:
    """Particle table and annotations of a scene."""

    table: pa.Table
    annotations: dict[str, Any]
    visible_px: NDArray[np.int64]
    """Visible pixels of each particle (N,)."""
    nearest_px: NDArray[np.int64]
    """Pixels at which each particle is the nearest (N,): the visible ones, unless bodies overlap."""

    def write(self, folder: Path) -> None:
        """Write `particles.parquet` and `annotations.json`."""
        write_table(folder / "particles.parquet", self.table)
        (folder / "annotations.json").write_text(json.dumps(self.annotations, separators=(",", ":")))


def build_records(
    scene: StagedScene,
    fragments: Fragments,
    surface: VisibleSurface,
    visible: Masks,
    feature_columns: Mapping[str, FeatureType],
    labelled: NDArray[np.bool_] | None = None,
) -> Records:
    """Measure every particle and annotate the visible ones; `feature_columns` are the recipe's.

    `surface` shows all particles, `visible` are their masks. With `labelled` (N,) the table has a column of it and only
    these particles are annotated; None labels all.
    """
    measured = measure_bodies(fragments, visible, scene.technique.camera, scene.bodies.locations)
    nearest_px = np.bincount(surface.ids.ravel(), minlength=len(scene) + 1)[1:]
    features = {name: (column.values, column.present) for name, column in scene.features.items()}
    columns = _build_columns(scene, measured)
    if labelled is not None:
        columns["labelled"] = labelled, np.ones(len(scene), dtype=bool)
    if scene.technique.bodies_overlap:
        columns["nearest_px"] = nearest_px, np.ones(len(scene), dtype=bool)
    if scene.agglomerates is not None:
        columns |= _build_agglomerate_columns(scene.agglomerates)
    if scene.has_fibres:
        columns |= _build_fibre_columns(scene.bodies)
    annotated = measured.visible_px > 0 if labelled is None else labelled
    annotations = _build_annotations(scene, fragments, visible, measured, annotated)
    return Records(
        table=build_particle_table(columns, features, feature_columns),
        annotations=build_annotations(annotations, *_read_size(scene)),
        visible_px=measured.visible_px,
        nearest_px=nearest_px,
    )


def write_feature_files(scene: StagedScene, folder: Path) -> None:
    """Write the feature files of `do_save_features`: particles as Parquet, the technique as JSON."""
    features = {name: (column.values, column.present) for name, column in scene.features.items()}
    write_table(folder / "particle_features.parquet", build_feature_table(list(scene.names), features))
    text = json.dumps(dict(scene.technique.features), indent=2, sort_keys=True)
    (folder / "measurement_technique_features.json").write_text(text)


def _read_size(scene: StagedScene) -> tuple[int, int]:
    return scene.technique.camera.width, scene.technique.camera.height


def _build_columns(scene: StagedScene, measured: Measurements) -> dict[str, Column]:
    sizes = _compute_sizes(scene)
    values: dict[str, NDArray[Any]] = {
        "id": np.arange(1, len(scene) + 1),
        "name": np.array(scene.names, dtype=object),
        "blueprint": np.array(scene.blueprints, dtype=object),
        **dict(zip("xyz", scene.bodies.locations.T, strict=True)),
        **dict(zip(("qw", "qx", "qy", "qz"), scene.bodies.quaternions.T, strict=True)),
        **dict(zip(("size_x", "size_y", "size_z"), sizes.T, strict=True)),
        "column": measured.column,
        "row": measured.row,
        **dict(zip(("box_left", "box_top", "box_right", "box_bottom"), measured.box.T, strict=True)),
        "visible_px": measured.visible_px,
        "amodal_px": measured.amodal_px,
        "visible_fraction": measured.visible_fraction,
        "equivalent_diameter": measured.equivalent_diameter,
        "feret_min": measured.feret_min,
        "feret_max": measured.feret_max,
        "volume": _compute_volumes(scene, sizes),
        "surface": _compute_surfaces(scene, sizes),
        "touches_border": measured.touches_border,
    }
    return {name: (column, _find_present(name, column, measured)) for name, column in values.items()}


def _build_agglomerate_columns(agglomerates: Agglomerates) -> dict[str, Column]:
    inside = agglomerates.number > 0
    return {
        "agglomerate": (agglomerates.number, inside),
        "primaries": (agglomerates.primaries, inside),
        "contacts": (agglomerates.contacts, inside),
        "gyration_radius": (agglomerates.gyration_radius, inside),
        "fractal_prefactor": (agglomerates.fractal_prefactor, ~np.isnan(agglomerates.fractal_prefactor)),
    }


def _build_fibre_columns(bodies: Bodies) -> dict[str, Column]:
    lines = [bodies.meshes[index].centre_line for index in bodies.mesh_index]
    is_fibre = np.array([line is not None for line in lines], dtype=bool)
    scales = bodies.scales[:, 0]
    return {
        "fibre_length": (scales * [line.length if line else np.nan for line in lines], is_fibre),
        "fibre_width": (scales * [line.width if line else np.nan for line in lines], is_fibre),
    }


def _find_present(name: str, values: NDArray[Any], measured: Measurements) -> NDArray[np.bool_]:
    """Return the rows (N,) in which a column is not null."""
    if name.startswith("box_"):
        return measured.has_box
    if name == "touches_border":
        return measured.has_silhouette
    return ~np.isnan(values) if values.dtype == np.float64 else np.ones(len(values), dtype=bool)


def _compute_sizes(scene: StagedScene) -> NDArray[np.float64]:
    """Return full extents (N, 3) along each body's own axes, scene units."""
    bodies = scene.bodies
    extents = np.array([mesh.extents for mesh in bodies.meshes]).reshape(-1, 3)
    sizes: NDArray[np.float64] = bodies.scales * extents[bodies.mesh_index]
    return sizes


def _compute_volumes(scene: StagedScene, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exact volumes (N,), cubic scene units, rounded to float32."""
    return _compute_contents(
        scene, sizes, prototypes.compute_volume, lambda mesh, scale: mesh.volume * scale * scale * scale
    )


def _compute_surfaces(scene: StagedScene, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exact surface areas (N,), square scene units, rounded to float32."""
    return _compute_contents(scene, sizes, prototypes.compute_surface, lambda mesh, scale: mesh.surface * scale * scale)


def _compute_contents(
    scene: StagedScene,
    sizes: NDArray[np.float64],
    stretched: Callable[[str, NDArray[np.float64]], float],
    scaled: Callable[[Mesh, float], float],
) -> NDArray[np.float64]:
    """Scale the value that a mesh carries, or apply the prototype's formula to the sizes where it carries none."""
    bodies, contents = scene.bodies, np.empty(len(scene))
    for body, (kind, size) in enumerate(zip(scene.geometries, sizes, strict=True)):
        mesh = bodies.meshes[bodies.mesh_index[body]]
        if math.isnan(mesh.volume):
            contents[body] = stretched(kind, size)
        else:
            contents[body] = np.float32(scaled(mesh, float(bodies.scales[body, 0])))
    return contents


def _build_annotations(
    scene: StagedScene,
    fragments: Fragments,
    visible: Masks,
    measured: Measurements,
    annotated: NDArray[np.bool_],
) -> list[Annotation]:
    amodal, before = list_amodal_masks(fragments), find_occluders(fragments, sort_layers(fragments))
    overlaps = find_overlaps(before) if scene.technique.bodies_overlap else None
    return [
        Annotation(
            id=int(body) + 1,
            blueprint=scene.blueprints[body],
            visible=visible.select_pixels(body),
            amodal=amodal.select_pixels(body),
            box=(int(box[0]), int(box[1]), int(box[2]), int(box[3])),
            occluded_by=() if overlaps is not None else tuple(before[body].tolist()),
            overlaps=tuple(overlaps[body].tolist()) if overlaps is not None else None,
            agglomerate=_find_agglomerate(scene.agglomerates, body),
            centre_line=describe_centre_line(scene.bodies, body, scene.technique.camera, visible.select_pixels(body)),
        )
        for body, box in enumerate(measured.box)
        if annotated[body]
    ]


def _find_agglomerate(agglomerates: Agglomerates | None, body: int) -> int | None:
    return None if agglomerates is None else int(agglomerates.number[body]) or None
