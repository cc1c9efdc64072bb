"""Staged scene -> Blender scene -> state file."""

import errno
import os
import subprocess
import tempfile

import numpy as np
import pytest

from synth_api.prototypes.materials import MATERIALS
from synth_renderer.blender import bpy
from synth_renderer.blender.cycles import trace_scene
from synth_renderer.blender.devices import select_device
from synth_renderer.blender.materials import get_material
from synth_renderer.blender.objects import build_scene, forget_scene, show_bodies
from synth_renderer.blender.session import read_version
from synth_renderer.blender.state import write_state_file
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface as visible_of
from synth_renderer.model.errors import DeviceUnavailableError
from synth_renderer.techniques.registry import TECHNIQUES

BUILD_ENVIRONMENT = TECHNIQUES["default"].build_environment
RED, GREEN, BLUE = (0.8, 0.02, 0.02, 1.0), (0.02, 0.8, 0.02, 1.0), (0.02, 0.02, 0.8, 1.0)


def particles():
    return {obj.name: obj for obj in bpy.data.collections["Particles"].objects}


def picture(scene, in_camera=None):
    every = np.ones(len(scene), dtype=bool)
    surface = visible_of(rasterise_bodies(scene.bodies, scene.technique.camera))
    shown = every if in_camera is None else in_camera
    return TECHNIQUES["default"].make_picture(scene, every, shown, surface, "cpu").pixels, surface


@pytest.mark.parametrize("prototype", MATERIALS)
def test_every_material_of_the_contract_has_a_surface_in_a_state(photograph, prototype):
    build_scene(photograph([RED]), BUILD_ENVIRONMENT)
    output = next(node for node in get_material(prototype).node_tree.nodes if node.type == "OUTPUT_MATERIAL")
    assert output.inputs["Surface"].is_linked


def test_particles_share_mesh_and_material_and_carry_their_ids(photograph):
    scene = photograph([RED, GREEN, BLUE])
    build_scene(scene, BUILD_ENVIRONMENT)
    objects = particles()
    assert [objects[name].pass_index for name in scene.names] == [1, 2, 3]
    assert len({obj.data for obj in objects.values()}) == 1
    assert [material.name for material in bpy.data.materials] == ["plain", "vacuum"]


def test_normals_are_those_of_the_mesh(photograph):
    scene = photograph([RED])
    build_scene(scene, BUILD_ENVIRONMENT)
    data = particles()[scene.names[0]].data
    normals = np.empty(len(data.loops) * 3, dtype=np.float32)
    data.corner_normals.foreach_get("vector", normals)
    mesh = scene.bodies.meshes[0]
    assert np.abs(normals.reshape(-1, 3) - mesh.normals[mesh.triangles.ravel()]).max() < 1e-3


def test_a_scene_is_staged_once(photograph):
    scene = photograph([RED])
    build_scene(scene, BUILD_ENVIRONMENT)
    bpy.context.scene["mark"] = 1
    assert "mark" in build_scene(scene, BUILD_ENVIRONMENT)
    assert "mark" not in build_scene(photograph([RED]), BUILD_ENVIRONMENT)


def test_a_thousand_particles_are_no_matter(photograph):
    build_scene(photograph([RED] * 1000), BUILD_ENVIRONMENT)
    assert len(particles()) == 1000
    assert len(bpy.data.meshes) == 2  # theirs and the measurement volume's


def test_no_handler_of_ours_is_left(photograph):
    def registered():
        lists = [getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)]
        return [callback for found in lists if isinstance(found, list) for callback in found]

    before = {callback.__module__ for callback in registered()}
    picture(photograph([RED]))
    assert not any(module.startswith("synth") for module in before)
    assert {callback.__module__ for callback in registered()} == before


def test_the_photograph_shows_each_particle_in_its_colour_where_its_label_is(photograph):
    scene = photograph([RED, GREEN, BLUE])
    pixels, surface = picture(scene)
    assert pixels.shape == (108, 192, 3)
    for number, channel in ((1, 0), (2, 1), (3, 2)):
        mean = pixels[surface.ids == number].mean(axis=0)
        assert mean.argmax() == channel
        assert mean[channel] > 2 * np.delete(mean, channel).max()
    assert pixels[surface.ids == 0].std() < 3


def test_the_volume_is_in_the_middle_of_the_photograph(photograph):
    surface = picture(photograph([RED]))[1]
    rows, columns = (surface.ids == 1).nonzero()
    assert rows.mean() == pytest.approx(54, abs=8)
    assert columns.mean() == pytest.approx(96, abs=8)


def test_what_is_not_in_camera_is_not_seen_and_the_stage_is_as_before(photograph):
    scene = photograph([RED, GREEN, BLUE])
    pixels, surface = picture(scene, in_camera=np.array([True, False, True]))
    assert pixels[surface.ids == 2].std() < 30
    assert all(obj.visible_camera and not obj.hide_render for obj in particles().values())


def test_equal_scenes_give_equal_pixels(photograph):
    assert (picture(photograph([RED, BLUE]))[0] == picture(photograph([RED, BLUE]))[0]).all()


def test_the_state_file_is_small_opens_and_renders(photograph, tmp_path):
    scene = photograph([RED] * 600)
    write_state_file(scene, BUILD_ENVIRONMENT, tmp_path / "state.blend", np.ones(len(scene), dtype=bool))
    assert (tmp_path / "state.blend").stat().st_size < 400_000
    try:
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "state.blend"))
        assert len(particles()) == 600
        assert trace_scene(1, 0, 1, "cpu").radiance.max() > 0
    finally:
        forget_scene()


def test_saving_does_not_change_the_picture(photograph, tmp_path):
    scene = photograph([RED, BLUE])
    before = picture(scene)[0]
    write_state_file(scene, BUILD_ENVIRONMENT, tmp_path / "state.blend", np.ones(len(scene), dtype=bool))
    assert (picture(scene)[0] == before).all()


def test_an_empty_scene_is_a_picture_too(photograph):
    scene = photograph([])
    with show_bodies(scene, BUILD_ENVIRONMENT, np.zeros(0, bool), np.zeros(0, bool)):
        assert trace_scene(1, 0, 0, "cpu").radiance.shape == (108, 192, 3)


def test_seeds_of_any_size_are_taken(photograph):
    build_scene(photograph([RED]), BUILD_ENVIRONMENT)
    assert trace_scene(1, 0, 2**53 - 1, "cpu").radiance.shape == (108, 192, 3)


@pytest.mark.parametrize("name", ["{x}", "a:b #1 %", os.fsdecode(b"\xff")])
def test_a_temporary_folder_may_have_any_name(photograph, tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    build_scene(photograph([RED]), BUILD_ENVIRONMENT)
    assert trace_scene(1, 0, 1, "cpu").radiance.max() > 0
    assert list((tmp_path / name).iterdir()) == []


def test_auto_takes_the_best_there_is_and_cpu_is_always_there():
    assert select_device("cpu") == "cpu"
    assert select_device("auto") in ("optix", "cuda", "hip", "oneapi", "cpu")


def test_a_device_that_is_not_there_is_refused_by_name():
    if select_device("auto") != "cpu":
        pytest.skip("this machine has a GPU")
    drivers = {"optix": "OptiX", "cuda": "CUDA", "hip": "HIP", "oneapi": "oneAPI"}
    for device, driver in {"gpu": "OptiX, CUDA, HIP or oneAPI", **drivers}.items():
        with pytest.raises(DeviceUnavailableError) as caught:
            select_device(device)
        assert str(caught.value) == (
            f"device {device} is not available here: no driver of {driver} answers, found: cpu; "
            "install it, or use auto or cpu"
        )
        assert (caught.value.device, caught.value.found) == (device, ["cpu"])


def test_the_version_is_the_pinned_one():
    assert read_version() == "4.5.15"


def test_a_picture_that_a_full_disk_cut_short_says_so(photograph, tmp_path, monkeypatch):
    """Blender itself reports success."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", tmp_path], check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        build_scene(photograph([RED]), BUILD_ENVIRONMENT)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with pytest.raises(OSError, match="has not written the traced picture: No space left on device") as full:
            trace_scene(1, 0, 1, "cpu")
        assert full.value.errno == errno.ENOSPC
    finally:
        subprocess.run(["umount", tmp_path], check=True)
