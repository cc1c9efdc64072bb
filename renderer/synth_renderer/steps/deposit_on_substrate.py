"""The step that puts particles on the substrate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_api.recipe.node import Builtin
from synth_renderer.deposit.clusters import CLUSTERS
from synth_renderer.deposit.deposit import (
    COVERAGE_TOLERANCE,
    Deposit,
    Layout,
    PlacedBody,
    PosedBody,
    Strands,
    deposit_bodies,
)
from synth_renderer.deposit.profile import build_profile
from synth_renderer.geometry.fibres import FIBRE, trace_strands
from synth_renderer.geometry.shapes import build_shape_mesh
from synth_renderer.model.deposit_report import DepositReport
from synth_renderer.model.errors import RenderError
from synth_renderer.model.transforms import compute_middle, rotation_matrix, transform_points
from synth_renderer.randomness.hashing import draw_uniform
from synth_renderer.randomness.streams import Stream
from synth_renderer.randomness.variabilities import Scale, draw_parameters, draw_value
from synth_renderer.scene.orientation import UNTURNED, choose_pose, read_orientation
from synth_renderer.scene.sets import find_members
from synth_renderer.scene.staging import ScaledMesh, build_agglomerate_mesh, build_scaled_mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_api.recipe.feature_generation import DepositOnSubstrate
    from synth_renderer.geometry.shapes import Shape
    from synth_renderer.scene.world import World


HEADROOM: Final = 0.9
"""Share of the height of the camera that a heap may reach: bodies above the camera would have no label."""
_EAST: Final = np.array([1.0, 0.0])
MAX_VIEWS: Final = 16
"""Longest particle, in sides of the view: memory and time of the map of the ground grow with its square."""
FACET_PIXELS: Final = 3.0
"""Facet size of the coarse meshes of this step, in pixels."""


def deposit_on_substrate(world: World, step: DepositOnSubstrate, name: str) -> None:
    """Place the step's particles on the substrate and remove the others.

    Raises RenderError if they cover less of the picture than the step's minimum, or if one is far longer than it.
    """
    affected = find_members(world, step.affected_set_name).particles
    rows = np.flatnonzero(affected & world.particles.find_ultimate_parents())
    if not len(rows):
        return
    parameters = _draw_parameters(world, step, name)
    view = _compute_view(world)
    key, pixel = _build_key(world, name, "", "layout"), _compute_facet_size(world)
    layout = _build_layout(parameters, view, key)
    reach, diameter = _estimate_reach_and_diameter(world, rows, layout.lattice, parameters["orientation"])
    deposit = Deposit.create(layout, view, _compute_ceiling(world), reach, diameter, key)
    deposit.add_hosts(_list_hosts(world, step, rows, deposit.land.cell))
    quaternions: list[NDArray[np.float64]] = []

    def bodies() -> Iterator[tuple[PosedBody, np.uint64]]:
        for row in rows:
            particle = world.particles.names[row]
            place = _build_key(world, name, particle, "place")
            orientation = read_orientation(world.particles, int(row), parameters["orientation"])
            is_turned = layout.kind == "lattice" or (layout.kind in CLUSTERS and orientation.kind == "aligned")
            turn = deposit.choose_heading(place) if is_turned else None
            look, _ = build_agglomerate_mesh(world.particles, int(row), pixel, world.meshes)
            quaternions.append(choose_pose(look, orientation, _build_key(world, name, particle, "orientation"), turn))
            body = _build_posed_body(look, quaternions[-1], deposit.land.cell, turn)
            if look.shape is not None and look.shape.prototype == FIBRE and orientation.kind != "free":
                body = replace(body, strands=_build_strands(look, look.shape, body, quaternions[-1], deposit.land.cell))
            yield body, place

    taken = deposit_bodies(deposit, bodies())
    _require_coverage(step, parameters, deposit, len(rows), len(taken), len(quaternions))
    _write_placement(world, rows, np.array(taken, dtype=np.int64), deposit, quaternions)
    world.physics.append(
        DepositReport(
            layout=layout.kind,
            coverage=deposit.coverage,
            target=layout.coverage,
            offered=len(rows),
            placed=len(taken),
            sphere_overlap=deposit.measure_sphere_overlap(),
            largest_overlap=deposit.measure_shared_volume(),
        )
    )


def _list_hosts(world: World, step: DepositOnSubstrate, rows: NDArray[np.int64], cell: float) -> list[PlacedBody]:
    """Return the bodies of the step's deposited set, without the particles `rows` that it is about to put down."""
    placed_before = find_members(world, step.deposited_set_name).particles & world.particles.find_ultimate_parents()
    hosts = np.setdiff1d(np.flatnonzero(placed_before), rows)
    floor, pixel = world.require_technique().compute_volume().lower[2], _compute_facet_size(world)
    placed = []
    for row in hosts:
        look, (x, y, z) = build_agglomerate_mesh(world.particles, int(row), pixel, world.meshes)
        is_alone = len(world.particles.list_members(int(row))) == 1
        body = _build_posed_body(look, world.particles.quaternions[row] if is_alone else UNTURNED, cell)
        placed.append(PlacedBody(body, float(x), float(y), float(z) - floor))
    return placed


def _compute_facet_size(world: World) -> float | None:
    """Return the pixel size for meshes of this step, whose facets need not be finer than the map's cells."""
    pixel = world.compute_pixel_size()
    return None if pixel is None else FACET_PIXELS * pixel


def _draw_parameters(world: World, step: DepositOnSubstrate, name: str) -> dict[str, Any]:
    """Return the value of each parameter; each variability draws from its own stream."""
    technique = world.require_technique()
    scale = Scale(technique.compute_volume(), world.compute_pixel_size())
    values = {}
    for parameter in step.parameters:
        value = getattr(step, parameter)
        if isinstance(value, Builtin):
            inner = draw_parameters(
                value,  # type: ignore[arg-type]
                lambda part, of=parameter: Stream(world.seed, name, "", f"{of}.{part}"),  # type: ignore[misc]
                scale,
            )
            value = draw_value(inner, Stream(world.seed, name, "", parameter), scale)
        values[parameter] = value
    return values


def _compute_view(world: World) -> tuple[float, float]:
    """Return width and height of the picture, scene units; of the volume if the view is in perspective."""
    camera, volume = world.require_technique().build_camera(), world.require_technique().compute_volume()
    if camera.pixel_size is not None:
        return camera.width * camera.pixel_size, camera.height * camera.pixel_size
    return volume.upper[0] - volume.lower[0], volume.upper[1] - volume.lower[1]


def _compute_ceiling(world: World) -> float:
    """Return the largest height above the substrate; from the volume if the view is in perspective."""
    camera, volume = world.require_technique().build_camera(), world.require_technique().compute_volume()
    top = volume.upper[2] if camera.pixel_size is None else camera.location[2]
    return HEADROOM * (top - volume.lower[2])


def _estimate_reach_and_diameter(
    world: World, rows: NDArray[np.int64], lattice: str, orientation: str
) -> tuple[float, float]:
    """Return an upper bound of the particles' reach, and the median particle's diameter, the unit of a lattice.

    It is the wider side of a square cell, the circle around the particle in a hexagonal one, as it lies.
    """
    diagonals = np.array([_measure_diagonal(world, int(row)) for row in rows])
    _require_short_particles(world, rows, diagonals)
    middle = int(rows[np.argsort(diagonals, kind="stable")[len(rows) // 2]])
    look, _ = build_agglomerate_mesh(world.particles, middle, _compute_facet_size(world), world.meshes)
    pose = choose_pose(look, read_orientation(world.particles, middle, orientation), np.uint64(middle), _EAST)
    body = _build_posed_body(look, pose, 1e9)
    left, right, low, high = body.extent
    diameter = max(right - left, high - low) if lattice == "square" else 2 * body.reach
    return float(diagonals.max()), diameter if body.radius is None else 2 * body.radius


def _require_short_particles(world: World, rows: NDArray[np.int64], diagonals: NDArray[np.float64]) -> None:
    longest, side = int(np.argmax(diagonals)), max(_compute_view(world))
    if diagonals[longest] > MAX_VIEWS * side:
        raise RenderError(
            f"particle {world.particles.names[rows[longest]]} is {diagonals[longest]:.4g} scene units long, more than"
            f" {MAX_VIEWS} times the picture's {side:.4g}; make it smaller or shorter, or the picture larger"
        )


def _measure_diagonal(world: World, row: int) -> float:
    """Return an upper bound of the diameter of a particle, or of its agglomerate."""
    particles = world.particles
    if len(particles.list_members(row)) == 1:
        return float(np.sqrt((particles.compute_size(row) ** 2).sum()))
    vertices = build_agglomerate_mesh(particles, row, _compute_facet_size(world), world.meshes)[0].mesh.vertices
    return 2 * float(np.sqrt((vertices * vertices).sum(axis=1)).max())


def _build_layout(parameters: dict[str, Any], view: tuple[float, float], key: np.uint64) -> Layout:
    piles = [
        [(draw_uniform(key, np.uint64(64 + 2 * pile + axis)) - 0.5) * view[axis] for axis in range(2)]
        for pile in range(parameters["piles"])
    ]
    return Layout(
        kind=parameters["layout"],
        coverage=parameters["coverage"],
        new_cluster_share=parameters["new_cluster_share"],
        cluster_size=parameters["cluster_size"],
        piles=np.array(piles).reshape(-1, 2),
        pile_width=parameters["pile_width"] * max(view),
        rolling=parameters["rolling"],
        lattice=parameters["lattice"],
        pitch=parameters["pitch"],
        jitter=parameters["jitter"],
        vacancies=parameters["vacancies"],
        crystals=parameters["crystals"],
        second_layer=parameters["second_layer"],
        begin_in_middle=parameters["begin_in_middle"],
        cut_by_frame=parameters["cut_by_frame"],
    )


def _build_key(world: World, name: str, particle: str, what: str) -> np.uint64:
    return np.uint64(Stream(world.seed, name, particle, what).draw_word())


def _build_posed_body(
    look: ScaledMesh, quaternion: NDArray[np.float64], cell: float, heading: NDArray[np.float64] | None = None
) -> PosedBody:
    points = transform_points(look.mesh.vertices, rotation_matrix(quaternion) * look.scale, np.zeros(3))
    profile = build_profile(points, look.mesh.triangles, cell)
    x, y = points[:, 0], points[:, 1]
    radius = float(look.thickness[0]) / 2 if look.is_sphere else None
    return PosedBody(
        profile=profile if radius is None else profile._replace(lowest=-radius),
        extent=(float(x.min()), float(x.max()), float(y.min()), float(y.max())),
        reach=float(np.sqrt((x * x + y * y).max())),
        radius=radius,
        heading=heading,
    )


def _build_strands(
    look: ScaledMesh, shape: Shape, body: PosedBody, quaternion: NDArray[np.float64], cell: float
) -> Strands:
    """Return the strands of a fibre, which can be laid over other bodies."""
    size, features = float(look.scale[0]), dict(shape.features)
    strands = trace_strands(shape.proportions, features)
    places = np.concatenate([strand.places for strand in strands])
    nodes = np.stack([places[:, 0], np.zeros(len(places)), places[:, 1]], axis=1)
    half = shape.proportions[0] / 2

    def lay_over(heights: NDArray[np.float64]) -> PosedBody:
        support = tuple((heights / size).astype(np.float32).tolist())
        mesh = build_shape_mesh(replace(shape, support=support))
        laid = _build_posed_body(replace(look, mesh=mesh), quaternion, cell, body.heading)
        return replace(laid, support=support)

    return Strands(
        nodes=transform_points(nodes * size, rotation_matrix(quaternion), np.zeros(3))[:, :2],
        reaches=half * size * np.concatenate([strand.factors for strand in strands]),
        lay_over=lay_over,
    )


def _find_lowest_vertex(world: World, row: int, quaternion: NDArray[np.float64], pixel: float | None) -> float:
    """Return the z of the lowest vertex of a turned mesh relative to its middle, on which it rests.

    Of an agglomerate that of its spheres.
    """
    particles = world.particles
    members = particles.list_members(row)
    if len(members) > 1:
        places = particles.features.read_column("location").values[members]
        turned = transform_points(places - compute_middle(places), rotation_matrix(quaternion), np.zeros(3))
        return float((turned[:, 2] - particles.read_radii(members)).min())
    look = build_scaled_mesh(particles, row, pixel, world.meshes)
    turned = rotation_matrix(quaternion) * look.scale
    return float(transform_points(look.mesh.vertices, turned, np.zeros(3))[:, 2].min())


def _require_coverage(
    step: DepositOnSubstrate, parameters: dict[str, Any], deposit: Deposit, offered: int, placed: int, tried: int
) -> None:
    asked, least, reached = parameters["coverage"], parameters["minimum_coverage"], deposit.coverage
    if reached >= (asked if least is None else min(least, asked)) - COVERAGE_TOLERANCE:
        return
    layout, name = deposit.layout.kind, step.affected_set_name
    if tried == offered and placed > 0.9 * offered:
        raise RenderError(
            f"all {placed} particles of '{name}' that there is room for cover {reached:.1%} of the picture, and"
            f" {asked:.1%} are asked for; give more or larger ones"
        )
    raise RenderError(
        f"layout '{layout}' finds no place for another particle of '{name}' at a coverage of {reached:.1%} and"
        f" {asked:.1%} are asked for; ask for less, or take the layout 'heap'"
    )


def _write_placement(
    world: World,
    rows: NDArray[np.int64],
    taken: NDArray[np.int64],
    deposit: Deposit,
    quaternions: list[NDArray[np.float64]],
) -> None:
    """Write location and rotation of the placed particles and remove the others."""
    particles = world.particles
    places, floor, pixel = (
        deposit.separate_spheres(),
        world.require_technique().compute_volume().lower[2],
        world.compute_pixel_size(),
    )
    for position, body, (x, y, z) in zip(taken, deposit.bodies, places, strict=True):
        row = int(rows[position])
        particles.supports[row] = body.support
        if body.radius is None:
            z += body.profile.lowest - _find_lowest_vertex(world, row, quaternions[position], pixel)
        place = np.array([x, y, z + floor], dtype=np.float32).astype(np.float64)
        particles.turn_with_agglomerate(row, quaternions[position], place)
    gone = np.zeros(len(particles), dtype=bool)
    gone[rows] = True
    gone[rows[taken]] = False
    gone = particles.complete_agglomerates(gone)
    world.particles = particles.remove(gone)
