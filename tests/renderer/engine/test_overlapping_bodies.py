"""Labels under the transmission electron microscope, in whose pictures bodies shine through."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from synth_dataset.documents.pictures import read_png
from synth_dataset.documents.rle import decode_mask

SIGNAL = Path("recipes/spheres_sem_signal.yaml")
SMALL = "+blueprints.measurement_techniques.SEM.features.resolution_percentage=20"
FORTY = "blueprints.particles.Bead.number=40"
MANY = "blueprints.particles.Bead.number=1500"
INVOKE = "{{_target_: $builtins.InvokeBlueprints, affected_set_name: {}}}"
DRAW = "{{_target_: $builtins.TriggerFeatureUpdate, feature_variability_name: {}, affected_set_name: AllParticles}}"
BLUEPRINTS = ("AllMeasurementTechniqueBlueprints", "AllParticleBlueprints")
DRAWN = ("ParticleDimension", "InitialParticleLocation")
PLACED_STEPS = ",".join([*map(INVOKE.format, BLUEPRINTS), *map(DRAW.format, DRAWN)])
PLACED = f"synth_chain.feature_generation_steps=[{PLACED_STEPS}]"
"""Steps that leave the beads where they are drawn, in and behind each other."""
STEP = "{{_target_: $builtins.RenderParticlesTogether, rendering_mode: {}, minimum_visible_fraction: {}}}"
TECHNIQUE = "blueprints.measurement_techniques.SEM"
TRANSMISSION = (
    f"{TECHNIQUE}.measurement_technique_prototype_name=transmission_electron_microscope",
    f"{TECHNIQUE}.background_material_prototype_name=vacuum",
    "blueprints.particles.Bead.material_prototype_name=tem_amorphous",
    "+blueprints.particles.Bead.features.density=0.1",
)


def list_steps(least: float, *modes: str) -> str:
    return f"synth_chain.rendering_steps=[{','.join(STEP.format(mode, least) for mode in modes)}]"


def test_each_body_has_its_whole_mask_and_instances_the_nearest(render_recipe) -> None:
    run, folder = render_recipe(MANY, PLACED, SMALL, *TRANSMISSION, list_steps(0, "categorical"), recipe=SIGNAL)
    ids = read_png(folder / "instances.png")
    rows = {row["id"]: row for row in pq.read_table(folder / "particles.parquet").to_pylist()}
    notes = {note["id"]: note for note in json.loads((folder / "annotations.json").read_text())["particles"]}
    masks = {number: decode_mask(note["visible"]) for number, note in notes.items()}
    covered = np.zeros(ids.size, dtype=int)
    for number, note in notes.items():
        row = rows[number]
        assert note["visible"] == note["amodal"]
        assert note["area"] == row["visible_px"] == row["amodal_px"] == len(masks[number])
        assert (note["visible_fraction"], row["visible_fraction"], note["occluded_by"]) == (1, 1, [])
        assert row["nearest_px"] == (ids == number).sum()
        assert np.isin(np.flatnonzero(ids == number), masks[number]).all()
        covered[masks[number]] += 1
    assert ((covered > 0).reshape(ids.shape) == (ids > 0)).all()
    assert set(notes) == {number for number, row in rows.items() if row["amodal_px"]}
    assert len(notes) == run.visible > len(np.unique(ids)) - 1, "some are nearest nowhere"
    first = next(iter(notes))
    sharing = [other for other in notes if other != first and np.isin(masks[other], masks[first]).any()]
    assert notes[first]["overlaps"] == sharing
    assert (read_png(folder / "categorical.png").any(axis=-1) == (ids > 0)).all()


def test_a_minimum_visible_fraction_leaves_out_no_body_behind_others(render_recipe) -> None:
    _, folder = render_recipe(MANY, PLACED, SMALL, *TRANSMISSION, list_steps(1, "categorical"), recipe=SIGNAL)
    rows = pq.read_table(folder / "particles.parquet").to_pylist()
    assert [row["labelled"] for row in rows] == [row["amodal_px"] > 0 for row in rows]
    assert any(row["nearest_px"] == 0 < row["amodal_px"] for row in rows)


def test_labels_of_other_techniques_say_nothing_of_overlap(render_recipe) -> None:
    _, folder = render_recipe(MANY, PLACED, SMALL, list_steps(0, "categorical"), recipe=SIGNAL)
    assert "nearest_px" not in pq.read_schema(folder / "particles.parquet").names
    notes = json.loads((folder / "annotations.json").read_text())["particles"]
    assert not any("overlaps" in note for note in notes)


def test_the_gates_compare_the_picture_with_the_whole_outline_of_each_body(render_recipe) -> None:
    run, _ = render_recipe(FORTY, PLACED, SMALL, *TRANSMISSION, list_steps(0, "real"), recipe=SIGNAL)
    assert {"ids", "area", "mask"} <= {gate.name for gate in run.gates}
