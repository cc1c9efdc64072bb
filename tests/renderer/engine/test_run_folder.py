"""What a run writes, and that its parts agree with each other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from synth_dataset.documents.pictures import read_png

TWENTY = "blueprints.particles.Bead.number=20"
SMALL = "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10"
ALWAYS = {"instances.png", "particles.parquet", "annotations.json", "thumb.webp"}
MODES = {f"{mode}.png" for mode in ("real", "categorical", "depth_map", "normal_map", "stylized", "stylized_xray")}
NO_RENDERING = "synth_chain.rendering_steps=[]"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def steps(*rendering: str) -> str:
    return f"synth_chain.rendering_steps=[{','.join(rendering)}]"


def together(mode: str, **parameters: str) -> str:
    words = "".join(f",{name}:{value}" for name, value in parameters.items())
    return f"{{_target_:$builtins.RenderParticlesTogether,rendering_mode:{mode}{words}}}"


def one_by_one(mode: str, **parameters: str) -> str:
    return together(mode, **parameters).replace("Together", "Individually")


def test_the_tutorial_recipe_writes_six_modes_a_state_and_what_is_always_there(render_recipe) -> None:
    run, folder = render_recipe(TWENTY, SMALL)
    assert files(folder) == ALWAYS | MODES | {"state.blend"}
    assert read_png(folder / "real.png").shape == (96, 96)
    assert read_png(folder / "real.png").dtype == np.uint8
    assert (run.width, run.height, run.particles, run.device) == (96, 96, 20, "cpu")
    assert run.pixel_size == pytest.approx(1.0)
    assert all(gate.passed for gate in run.gates)


def test_pictures_table_and_annotations_tell_the_same_story(render_recipe) -> None:
    run, folder = render_recipe(TWENTY, SMALL, steps(together("categorical"), together("depth_map")))
    ids = read_png(folder / "instances.png")
    table = pq.read_table(folder / "particles.parquet").to_pydict()
    annotations = json.loads((folder / "annotations.json").read_text())
    counts = np.bincount(ids.ravel(), minlength=21)[1:]
    assert table["id"] == list(range(1, 21))
    assert table["visible_px"] == counts.tolist()
    visible = [index + 1 for index in np.flatnonzero(counts)]
    assert [note["id"] for note in annotations["particles"]] == visible
    assert run.visible == len(visible)
    colors = read_png(folder / "categorical.png").reshape(-1, 3)
    for particle in visible:
        expected = table["feature.category_color"][particle - 1]
        red, green, blue = colors[np.flatnonzero(ids.ravel() == particle)[0]]
        assert f"#{red:02x}{green:02x}{blue:02x}" == expected
    depth = read_png(folder / "depth_map.png")
    assert ((depth == 65535) == (ids == 0)).all()


def test_bead_seven_keeps_its_diameter_when_the_number_changes(render_recipe) -> None:
    _, few = render_recipe("blueprints.particles.Bead.number=10", SMALL, NO_RENDERING)
    _, many = render_recipe("blueprints.particles.Bead.number=30", SMALL, NO_RENDERING)
    first, second = (pq.read_table(folder / "particles.parquet").to_pylist() for folder in (few, many))
    assert [row["size_x"] for row in first] == [row["size_x"] for row in second[:10]]


def test_a_scene_without_particles_is_valid(render_recipe) -> None:
    run, folder = render_recipe("blueprints.particles.Bead.number=0", SMALL)
    assert files(folder) == ALWAYS | MODES | {"state.blend"}
    assert run.particles == run.visible == 0
    assert run.depth_range is None
    assert not read_png(folder / "instances.png").any()
    assert (read_png(folder / "depth_map.png") == 65535).all()


def test_one_by_one_masks_are_unoccluded(render_recipe) -> None:
    _, folder = render_recipe(
        TWENTY, SMALL, steps(one_by_one("categorical", subfolder="masks", output_file_name_prefix="a_"))
    )
    table = pq.read_table(folder / "particles.parquet").to_pylist()
    for row in table:
        picture = read_png(folder / f"masks/a_categorical/{row['id']:05d}.png")
        assert picture.any(axis=-1).sum() == row["amodal_px"]


def test_two_steps_on_one_path_get_their_sets_behind_the_prefix(render_recipe) -> None:
    _, folder = render_recipe(
        TWENTY, SMALL, steps(together("categorical"), together("categorical", set_name_of_interest="Empty"))
    )
    pictures = files(folder) - ALWAYS
    assert pictures == {"_AllParticles_over_Emptycategorical.png", "_Empty_over_Emptycategorical.png"}
    assert not read_png(folder / "_Empty_over_Emptycategorical.png").any()


def test_overlapping_particles_are_black_and_hide_what_is_behind(render_recipe) -> None:
    all_over = together("categorical", set_name_of_interest="Empty", set_name_overlapping="AllParticles")
    _, folder = render_recipe(TWENTY, SMALL, steps(all_over, together("depth_map")))
    assert not read_png(folder / "categorical.png").any()


def test_features_and_state_on_request(render_recipe) -> None:
    picture = together("categorical", subfolder="extra", do_save_features="True", do_save_state="True")
    _, folder = render_recipe(TWENTY, SMALL, steps(picture))
    assert files(folder) - ALWAYS == {
        "extra/categorical.png",
        "extra/categorical.blend",
        "extra/particle_features.parquet",
        "extra/measurement_technique_features.json",
    }
    features = json.loads((folder / "extra/measurement_technique_features.json").read_text())
    assert 0.2 <= features["defocus"] < 0.5
    assert features["patch_seed"] == 42


def test_meshes_together_and_one_by_one(render_recipe) -> None:
    _, folder = render_recipe("blueprints.particles.Bead.number=2", SMALL, steps(together("stl"), one_by_one("stl")))
    size = (folder / "stl.stl").stat().st_size
    one = (folder / "stl/00001.stl").stat().st_size
    assert size - 84 == 2 * (one - 84)


def test_a_dry_run_stops_after_the_physics(render_recipe) -> None:
    _, folder = render_recipe(TWENTY, SMALL, "+synth_chain.feature_generation_steps.5.dry_run=True")
    assert files(folder) == ALWAYS | {"dry_run.blend"}
