"""Cycles' own passes of the same meshes through the same camera: labels and traced picture agree to the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synth_renderer.labels.rasterise import NEAR_PLANE, rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera
    from synth_renderer.model.mesh import Mesh


@dataclass(frozen=True)
class Passes:
    """Object index (H, W), depth (H, W), normal in the world frame (H, W, 3), first row on top."""

    ids: NDArray[np.int64]
    depth: NDArray[np.float64]
    normal: NDArray[np.float64]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Bodies, Camera], Passes]:
    from synth_renderer.blender import bpy

    def run(bodies: Bodies, camera: Camera) -> Passes:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        folder = tmp_path_factory.mktemp("passes")
        _set_up(bpy, bpy.context.scene, camera, folder)
        _add_bodies(bpy, bodies)
        _add_camera(bpy, camera)
        bpy.ops.render.render()
        assert not any(getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers) if name.startswith("render_"))
        return Passes(
            ids=_pixels(bpy, folder / "IndexOB0001.exr")[..., 0].round().astype(np.int64),
            depth=_pixels(bpy, folder / "Depth0001.exr")[..., 0],
            normal=_pixels(bpy, folder / "Normal0001.exr")[..., :3],
        )

    return run


def _set_up(bpy: Any, scene: Any, camera: Camera, folder: Path) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_adaptive_sampling, scene.cycles.max_bounces = 1, False, 0
    scene.cycles.use_denoising = False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
    scene.render.resolution_percentage = 100
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = True
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    nodes.clear()
    passes = nodes.new("CompositorNodeRLayers")
    output = nodes.new("CompositorNodeOutputFile")
    output.base_path = str(folder)
    output.format.file_format, output.format.color_depth = "OPEN_EXR", "32"
    output.file_slots.clear()
    for name in ("IndexOB", "Depth", "Normal"):
        output.file_slots.new(name)
        links.new(passes.outputs[name], output.inputs[name])


def _add_bodies(bpy: Any, bodies: Bodies) -> None:
    meshes = [_blender_mesh(bpy, mesh) for mesh in bodies.meshes]
    for n in range(len(bodies)):
        body = bpy.data.objects.new(f"body{n}", meshes[bodies.mesh_index[n]])
        body.rotation_mode = "QUATERNION"
        body.rotation_quaternion, body.scale, body.location = (
            bodies.quaternions[n],
            bodies.scales[n],
            bodies.locations[n],
        )
        body.pass_index = n + 1
        bpy.context.scene.collection.objects.link(body)


def _blender_mesh(bpy: Any, mesh: Mesh) -> Any:
    data = bpy.data.meshes.new("mesh")
    data.from_pydata(mesh.vertices.tolist(), [], mesh.triangles.tolist())
    data.polygons.foreach_set("use_smooth", [True] * len(mesh.triangles))
    data.update()
    return data


def _add_camera(bpy: Any, camera: Camera) -> None:
    data = bpy.data.cameras.new("camera")
    data.type = "ORTHO" if camera.is_orthographic else "PERSP"
    data.ortho_scale = camera.ortho_scale or 1.0
    data.lens, data.sensor_width = camera.focal_length, camera.sensor_width
    data.clip_start, data.clip_end = NEAR_PLANE, 1000.0
    holder = bpy.data.objects.new("camera", data)
    holder.rotation_mode = "QUATERNION"
    holder.location, holder.rotation_quaternion = camera.location, camera.quaternion
    bpy.context.scene.collection.objects.link(holder)
    bpy.context.scene.camera = holder


def _pixels(bpy: Any, file: Path) -> NDArray[np.float64]:
    image = bpy.data.images.load(str(file))
    width, height = image.size
    values = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(height, width, 4)[::-1].astype(np.float64)


def in_world(normal: NDArray[np.float32], camera: Camera) -> NDArray[np.float64]:
    w, x, y, z = camera.quaternion
    vector = np.array([x, y, z])
    n = normal.astype(np.float64)
    turn = 2 * np.cross(vector, n)
    return n + w * turn + np.cross(vector, turn)


def expect_agreement(ours: VisibleSurface, theirs: Passes, camera: Camera) -> None:
    same = ours.ids == theirs.ids
    assert same.mean() >= 0.999
    seen = same & (ours.ids > 0)
    assert seen.mean() > 0.3
    difference = np.abs(ours.depth[seen] - theirs.depth[seen])
    assert np.median(difference) < 1e-4
    assert np.percentile(difference, 99) < 0.02
    cosine = (in_world(ours.normal, camera)[seen] * theirs.normal[seen]).sum(axis=1)
    assert np.median(cosine) > 0.9999
    assert np.percentile(cosine, 1) > 0.99
    for axis in (0, 1):
        for step in (-1, 1):
            assert (np.roll(ours.ids, step, axis=axis) == theirs.ids).mean() < same.mean() - 0.02


def test_spheres_from_above_agree_with_cycles(heap: Any, from_above: Camera, trace: Any) -> None:
    bodies = heap(60)
    expect_agreement(find_visible_surface(rasterise_bodies(bodies, from_above)), trace(bodies, from_above), from_above)


def test_spheres_in_perspective_agree_with_cycles(heap: Any, oblique: Camera, trace: Any) -> None:
    bodies = heap(60)
    expect_agreement(find_visible_surface(rasterise_bodies(bodies, oblique)), trace(bodies, oblique), oblique)


@pytest.mark.parametrize("view", ["from_above", "oblique"])
def test_turned_ellipsoids_and_pebbles_agree_with_cycles(
    stones: Bodies, trace: Any, view: str, request: pytest.FixtureRequest
) -> None:
    camera = request.getfixturevalue(view)
    expect_agreement(find_visible_surface(rasterise_bodies(stones, camera)), trace(stones, camera), camera)


def test_a_body_around_the_camera_is_cut_open_as_cycles_does(place_spheres: Any, oblique: Camera, trace: Any) -> None:
    bodies = place_spheres([oblique.location, (0.0, 0.0, 6.0), (3.0, 2.0, 6.0)], [80.0, 5.0, 7.0], level=2)
    ours, theirs = find_visible_surface(rasterise_bodies(bodies, oblique)), trace(bodies, oblique)
    assert (ours.ids == theirs.ids).mean() >= 0.999
    assert set(np.unique(ours.ids)) == {1, 2, 3}
    assert (ours.normal[ours.ids == 1, 2] > 0).all()
