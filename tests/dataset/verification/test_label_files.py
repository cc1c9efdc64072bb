"""Labels of a run that contradict each other or cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from damaged_datasets import (
    DEEP,
    RENDERS,
    WRITES,
    find_run,
    list_faults,
    rewrite_file,
)
from disc_datasets import DiscSweep, render_discs

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.documents.pictures import read_png, write_png
from synth_dataset.store.folder_store import FolderStore

JSON_OF_PARTICLES = "JSON of particles with id, category, area, bbox, visible, amodal"


def test_a_mask_with_an_id_too_many(source: DatasetSource) -> None:
    def add_id(file: Path) -> None:
        ids = read_png(file)
        ids[0, 0] = 99
        write_png(file, ids)

    rewrite_file(source, "instances.png", add_id)
    faults = [fault.partition("instances.png: ")[2] for fault in list_faults(source, DEEP)]
    assert f"expected only ids of annotations.json, found id 99 too; {RENDERS}" in faults


def test_an_annotation_that_differs_from_the_mask(source: DatasetSource) -> None:
    def change(file: Path) -> None:
        document = json.loads(file.read_bytes())
        first, second, *_ = document["particles"]
        first["area"] += 5
        second["visible"] = first["visible"]
        second["category"] = "Boulder"
        document["particles"] = [first, second]
        file.write_text(json.dumps(document))

    ids = [note["id"] for note in json.loads((find_run(source) / "annotations.json").read_bytes())["particles"]]
    area = json.loads((find_run(source) / "annotations.json").read_bytes())["particles"][0]["area"]
    rewrite_file(source, "annotations.json", change)
    found = [fault for fault in list_faults(source, DEEP) if "/annotations.json: " in fault]
    sentences = [fault.partition("annotations.json: ")[2] for fault in found]
    first, second, *others = ids
    area_sentence = f"expected area {area} of particle {first}, as in instances.png, found {area + 5}; {RENDERS}"
    mask_sentence = f"expected the mask of particle {second}, as in instances.png, found another one; {RENDERS}"
    count = f"expected {len(ids)} visible particles, as in the manifest, found 2; {RENDERS}"
    assert [area_sentence in sentences, mask_sentence in sentences, count in sentences] == [True] * 3
    faults = "\n".join(list_faults(source, DEEP))
    assert f"expected blueprint Boulder of particle {second}, as in annotations.json, found " in faults
    assert (
        f"instances.png: expected only ids of annotations.json, found {'id' if len(others) == 1 else 'ids'}" in faults
    )


def test_a_visible_particle_that_labels_omit_is_no_fault(source: DatasetSource) -> None:
    """As in a run with a minimum_visible_fraction."""

    def omit_first(annotations: Path) -> None:
        document = json.loads(annotations.read_bytes())
        omitted = document["particles"].pop(0)["id"]
        annotations.write_text(json.dumps(document))
        ids = read_png(annotations.with_name("instances.png"))
        write_png(annotations.with_name("instances.png"), np.where(ids == omitted, 0, ids).astype(np.uint16))
        table = pq.read_table(annotations.with_name("particles.parquet"))
        labelled = [number != omitted for number in table["id"].to_pylist()]
        pq.write_table(table.append_column("labelled", [labelled]), annotations.with_name("particles.parquet"))

    rewrite_file(source, "annotations.json", omit_first)
    faults = [fault for fault in list_faults(source, DEEP) if find_run(source).parent.name in fault]
    assert [fault for fault in faults if "visible particles" in fault or "visible_px" in fault] == []


@pytest.fixture
def overlapping(tmp_path: Path) -> DatasetSource:
    """Discs that shine through; some lie behind others everywhere."""
    return render_discs(FolderStore(tmp_path / "overlapping"), DiscSweep(numbers=(0, 40), seeds=(1,), overlap=True))


def test_particles_that_shine_through_are_no_fault(overlapping: DatasetSource) -> None:
    ids = read_png(find_run(overlapping) / "instances.png")
    assert 0 < len(np.unique(ids)) - 1 < 40
    assert list_faults(overlapping, DEEP) == []


def test_labels_of_particles_that_shine_through(overlapping: DatasetSource) -> None:
    hidden = ({*range(1, 37)} - {*np.unique(read_png(find_run(overlapping) / "instances.png")).tolist()}).pop()

    def damage(annotations: Path) -> None:
        document = json.loads(annotations.read_bytes())
        notes = {note["id"]: note for note in document["particles"]}
        notes[hidden]["overlaps"] = []
        notes[40]["area"] += 5
        notes[39]["amodal"] = notes[40]["amodal"]
        notes[38]["visible"] = notes[37]["visible"]
        annotations.write_text(json.dumps(document))
        table = pq.read_table(annotations.with_name("particles.parquet"))
        nearest = [pixels + 1 for pixels in table["nearest_px"].to_pylist()]
        place = table.column_names.index("nearest_px")
        pq.write_table(table.set_column(place, "nearest_px", [nearest]), annotations.with_name("particles.parquet"))

    rewrite_file(overlapping, "annotations.json", damage)
    faults = "\n".join(list_faults(overlapping, DEEP))
    where = "as in instances.png and the masks, found"
    assert f"of particle {hidden}, {where} []" in faults
    assert f"of particle 40, {where} " in faults
    assert f"expected amodal equal to visible of particle 39, {where} another mask" in faults
    assert f"expected a mask with all its pixels of particle 38, {where} " in faults
    assert f"expected nearest_px 0 of particle {hidden}, {where} 1" in faults


def test_a_row_of_a_particle_table_that_is_gone(source: DatasetSource) -> None:
    rewrite_file(source, "particles.parquet", lambda file: pq.write_table(pq.read_table(file).slice(1), file))
    faults = [fault.partition("particles.parquet: ")[2] for fault in list_faults(source, DEEP)]
    assert f"expected 4 rows, as in the manifest, found 3; {RENDERS}" in faults
    assert f"expected a row of particle 1, as in instances.png, found none; {RENDERS}" in faults
    assert f"expected 3 rows of run 1, as in its own table, found 4; {WRITES}" in faults


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize(
    ("mask", "fault"),
    [
        (None, "expected particle 2 with amodal, found nothing"),
        (
            {"size": [40, 60], "counts": "0"},
            "expected amodal of particle 2 as a mask of 60 x 40 px, found another value",
        ),
        ({"size": [60, 40]}, "expected amodal of particle 2 as a mask of 60 x 40 px, found another value"),
        ([], "expected amodal of particle 2 as a mask of 60 x 40 px, found another value"),
    ],
)
def test_an_amodal_mask_that_is_missing_or_no_mask(tmp_path: Path, mask: object, fault: str, *, overlap: bool) -> None:
    """The one fault is that of the annotations, also where `coco.json` joins masks to agglomerates."""
    sweep = DiscSweep(agglomerates=True, overlap=overlap)
    source = render_discs(FolderStore(tmp_path / "dataset"), sweep)

    def damage(annotations: Path) -> None:
        document = json.loads(annotations.read_bytes())
        (note,) = (note for note in document["particles"] if note["id"] == 2)
        del note["amodal"]
        note |= {} if mask is None else {"amodal": mask}
        annotations.write_text(json.dumps(document))

    rewrite_file(source, "annotations.json", damage)
    faults = list_faults(source, DEEP)
    assert f"{fault}; {RENDERS}" in [sentence.partition("annotations.json: ")[2] for sentence in faults]
    assert not any("coco.json" in sentence and "cannot be read" in sentence for sentence in faults)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("instances.png", b"no picture", "a picture"),
        ("annotations.json", b'{"particles": [{"area": 1}]}', JSON_OF_PARTICLES),
        ("annotations.json", b'{"particles": [7]}', JSON_OF_PARTICLES),
        ("annotations.json", b"[]", JSON_OF_PARTICLES),
        ("particles.parquet", b"no table", "a Parquet file with id, visible_px, blueprint"),
    ],
)
def test_a_label_file_of_another_form(source: DatasetSource, name: str, content: bytes, expected: str) -> None:
    rewrite_file(source, name, lambda file: file.write_bytes(content))
    sentence = f"expected {expected}, found a file that cannot be read; {RENDERS}"
    assert sentence in [fault.partition(f"{name}: ")[2] for fault in list_faults(source, DEEP)]
