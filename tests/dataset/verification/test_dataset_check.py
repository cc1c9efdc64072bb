"""Every kind of damage to a dataset, made for real: the sentence that names it, and what finds it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from disc_datasets import DiscSweep, pack_discs, render_discs

from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.pictures import read_png, write_png
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.shard_repair import restore_indexes
from synth_dataset.verification.dataset_check import check_dataset
from synth_dataset.verification.depth import Depth

QUICK, FULL, DEEP = Depth(contents=False), Depth(), Depth(labels=True)
JSON_OF_PARTICLES = "JSON of particles with id, category, area, bbox, visible, amodal"
RENDERS = "synth verify --repair renders run 1 again"
WRITES = "synth verify --repair writes the documents of the dataset again"


@pytest.fixture
def source(tmp_path: Path) -> DatasetSource:
    """Six runs, every second without particles; run 1 has four."""
    return render_discs(FolderStore(tmp_path / "dataset"), DiscSweep())


def list_faults(source: DatasetSource, depth: Depth) -> list[str]:
    """Sentences, with paths relative to the dataset and without the folders of runs."""
    again = find_source(source.store, source.dataset.name)
    sentences = [fault.sentence for checked in check_dataset(again, depth) for fault in checked.faults]
    folder = f"{source.store.root}/"
    return [sentence.removeprefix(folder).replace(f"{source.dataset.folder}/", "") for sentence in sentences]


def find_run(source: DatasetSource, number: int = 1) -> Path:
    folders = [row["folder"] for row in source.iterate_rows(("folder",))]
    return source.store.root / folders[number]


def find_document(source: DatasetSource, name: str) -> Path:
    return source.store.root / source.dataset.folder / name


def run_file(source: DatasetSource, name: str) -> str:
    return str((find_run(source) / name).relative_to(source.store.root))


def flip_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def rewrite_file(source: DatasetSource, name: str, change: Callable[[Path], None]) -> None:
    """Change a file of run 1 as a faulty program would that commits it: the manifest names the new file."""
    folder = find_run(source)
    key = folder.parent.name
    manifest = source.store.read_manifest(key)
    with source.store.open_scratch("again") as scratch:
        for file in folder.iterdir():
            (scratch / file.name).write_bytes(file.read_bytes())
        change(scratch / name)
        source.store.commit_run(scratch, manifest)


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP, Depth(share=0.3)])
def test_a_good_dataset_has_no_faults_at_any_depth(source: DatasetSource, depth: Depth) -> None:
    assert list_faults(source, depth) == []
    for share in (0.5, 1.0):
        source = pack_discs(source, share)
        assert list_faults(source, depth) == []


def test_a_dataset_without_runs_has_no_faults(tmp_path: Path) -> None:
    source = render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=()))
    for depth in (QUICK, FULL, DEEP, Depth(share=0.01)):
        assert list_faults(source, depth) == []


def test_a_file_outside_the_folder_is_not_read(source: DatasetSource) -> None:
    files = [source.dataset.files[0].model_copy(update={"path": "../../../../../secret"})]
    foreign = replace(source, dataset=source.dataset.model_copy(update={"files": files}))
    with pytest.raises(DocumentError, match=r"'../../../../../secret' is no path in a dataset"):
        list(check_dataset(foreign, FULL))


def test_what_is_looked_at_is_counted(source: DatasetSource) -> None:
    outcomes = list(check_dataset(source, FULL))
    assert sum(one.run is not None for one in outcomes) == 6
    # Manifest and six files of each run, both copies of dataset.json, and the documents beside it.
    assert sum(one.files for one in outcomes) == 6 * 7 + 2 + len(source.dataset.files)
    read = sum(file.stat().st_size for file in (source.store.root / "runs").rglob("*") if file.is_file())
    read += sum(file.bytes for file in source.dataset.files)
    assert sum(one.bytes for one in outcomes) == read
    assert sum(one.bytes for one in check_dataset(source, QUICK)) == 0
    for packed in (pack_discs(source, 0.5), pack_discs(source)):
        again = list(check_dataset(packed, FULL))
        assert [(one.run, one.files, one.bytes) for one in again] == [
            (one.run, one.files, one.bytes) for one in outcomes
        ]


def test_a_flipped_byte(source: DatasetSource) -> None:
    flip_byte(find_run(source) / "real.png")
    (sentence,) = list_faults(source, FULL)
    assert sentence.startswith(f"{run_file(source, 'real.png')}: expected sha256 ")
    assert sentence.endswith(f"…; {RENDERS}")
    assert list_faults(source, QUICK) == []


@pytest.mark.parametrize("depth", [QUICK, FULL])
def test_a_file_that_is_cut(source: DatasetSource, depth: Depth) -> None:
    file = find_run(source) / "instances.png"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:20])
    name = run_file(source, "instances.png")
    assert list_faults(source, depth) == [f"{name}: expected {size:,} bytes, found 20 bytes; {RENDERS}"]


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_file_that_is_missing(source: DatasetSource, depth: Depth) -> None:
    file = find_run(source) / "particles.parquet"
    size = file.stat().st_size
    file.unlink()
    name = run_file(source, "particles.parquet")
    assert list_faults(source, depth) == [f"{name}: expected {size:,} bytes, found nothing; {RENDERS}"]


def test_a_file_that_cannot_be_read(source: DatasetSource) -> None:
    file = find_run(source) / "real.png"
    file.unlink()
    file.mkdir()
    sentence = f"expected a readable file, found one that cannot be read (Is a directory); {RENDERS}"
    assert list_faults(source, FULL) == [f"{run_file(source, 'real.png')}: {sentence}"]


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_manifest_that_is_missing(source: DatasetSource, depth: Depth) -> None:
    key = find_run(source).parent.name
    (source.store.root / f"manifests/{key[:2]}/{key}.json").unlink()
    sentence = f"expected the manifest of run 1, found nothing; {RENDERS}"
    assert list_faults(source, depth) == [f"manifests/{key[:2]}/{key}.json: {sentence}"]


def test_a_manifest_that_is_cut(source: DatasetSource) -> None:
    key = find_run(source).parent.name
    file = source.store.root / f"manifests/{key[:2]}/{key}.json"
    file.write_bytes(file.read_bytes()[:100])
    (sentence,) = list_faults(source, FULL)
    assert sentence.startswith(f"manifests/{key[:2]}/{key}.json: expected the manifest of run 1, found one that cannot")
    assert sentence.endswith(f"; {RENDERS}")


def test_a_manifest_that_differs_from_the_index(source: DatasetSource) -> None:
    key = find_run(source).parent.name
    file = source.store.root / f"manifests/{key[:2]}/{key}.json"
    manifest = json.loads(file.read_bytes())
    file.write_text(json.dumps(manifest | {"seed": 99, "c8": "0" * 8}))
    faults = list_faults(source, QUICK)
    address = f"manifests/{key[:2]}/{key}.json"
    assert f"{address}: expected seed 0, as in the index, found 99; {RENDERS}" in faults
    content = f"expected files with the content id 00000000, found {manifest['c8']}; {RENDERS}"
    assert f"{address}: {content}" in faults


@pytest.fixture
def packed(source: DatasetSource) -> DatasetSource:
    """All runs in one shard."""
    return pack_discs(source)


def find_shard(source: DatasetSource, extension: str) -> Path:
    (path,) = (source.store.root / "shards").glob(f"*.{extension}")
    return path


def change_tar(source: DatasetSource, name: str) -> str:
    """Flip a byte in a member of run 1 and return its path in the tar file."""
    key = next(row["key"] for row in source.iterate_rows(("run", "key")) if row["run"] == 1)
    tar = find_shard(source, "tar")
    content = bytearray(tar.read_bytes())
    with tarfile.open(tar) as archive:
        member = next(one for one in archive if key in one.name and one.name.endswith(name))
    content[member.offset_data + member.size // 2] ^= 1
    tar.write_bytes(content)
    return member.name


def test_a_flipped_byte_of_a_packed_run(packed: DatasetSource) -> None:
    path = change_tar(packed, "/real.png")
    (sentence,) = list_faults(packed, FULL)
    assert sentence.startswith(f"shards/{find_shard(packed, 'tar').name} ({path}): expected sha256 ")
    assert sentence.endswith(f"…; {RENDERS}")
    assert list_faults(packed, QUICK) == []


def test_a_damaged_manifest_of_a_packed_run(packed: DatasetSource) -> None:
    tar = find_shard(packed, "tar")
    tar.write_bytes(tar.read_bytes().replace(b'"engine_version": 1', b'"engine_version": x'))
    faults = list_faults(packed, QUICK)
    assert len(faults) == 6
    (sentence,) = (fault for fault in faults if "manifest of run 1," in fault)
    assert sentence.startswith(f"shards/{tar.name} (manifests/")
    assert sentence.endswith(f"; {RENDERS}")


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_shard_whose_tar_file_is_missing_or_cut(packed: DatasetSource, depth: Depth) -> None:
    tar = find_shard(packed, "tar")
    content = tar.read_bytes()
    tar.write_bytes(content[:-512])
    expected = f"shards/{tar.name}: expected {len(content):,} bytes, found"
    remedies = [f"synth verify --repair renders run {run} again" for run in range(6)]
    assert list_faults(packed, depth) == [f"{expected} {len(content) - 512:,} bytes; {remedy}" for remedy in remedies]
    tar.unlink()
    assert list_faults(packed, depth) == [f"{expected} nothing; {remedy}" for remedy in remedies]


def test_shards_of_other_datasets_are_no_fault_of_this_one(packed: DatasetSource) -> None:
    render_discs(packed.store, DiscSweep("more", seeds=(7,)))
    other = pack_discs(packed)
    for tar in (packed.store.root / "shards").glob("*.tar"):
        if tar != find_shard_of(packed, 1):
            tar.unlink()
    assert list_faults(other, FULL) == []


def find_shard_of(source: DatasetSource, number: int) -> Path:
    key = next(row["key"] for row in source.iterate_rows(("run", "key")) if row["run"] == number)
    run = source.store.shards.find(key)
    assert run is not None
    return source.store.root / run.tar


def test_an_index_of_a_shard_that_is_damaged(packed: DatasetSource) -> None:
    index = find_shard(packed, "parquet")
    index.write_bytes(index.read_bytes()[:-9])
    remedy = "synth verify --repair writes it again from its tar file"
    sentence = f"shards/{index.name}: expected the index of a shard, found a file that cannot be read; {remedy}"
    assert list_faults(packed, FULL) == [sentence]


def test_an_index_of_a_shard_is_written_again_from_its_tar_file(packed: DatasetSource) -> None:
    index = find_shard(packed, "parquet")
    content = index.read_bytes()
    assert restore_indexes(packed.store) == {}
    index.write_bytes(content[:-9])
    assert restore_indexes(packed.store) == {f"shards/{index.name}": True}
    assert index.read_bytes() == content
    assert list_faults(packed, DEEP) == []


@pytest.mark.parametrize("damage", ["cut", "manifest", "gone"])
def test_an_index_that_its_tar_file_cannot_give_is_removed(packed: DatasetSource, damage: str) -> None:
    index, tar = find_shard(packed, "parquet"), find_shard(packed, "tar")
    index.write_bytes(b"PAR1")
    content = tar.read_bytes()
    damaged = content.replace(b'"seed": 0', b'"seed": 9') if damage == "manifest" else content[:-1024]
    assert damaged != content
    tar.write_bytes(damaged)
    if damage == "gone":
        tar.unlink()
    assert restore_indexes(packed.store) == {f"shards/{index.name}": False}
    assert not index.exists()
    assert len(list_faults(packed, QUICK)) == 6


def test_a_stored_recipe_that_is_damaged_is_said_once(tmp_path: Path, source: DatasetSource) -> None:
    manifests = [json.loads(path.read_bytes()) for path in (source.store.root / "manifests").rglob("*.json")]
    reference = source.store.keep_recipe(manifests[0]["recipe"], manifests[0]["recipe"])
    for manifest in manifests:
        key = manifest["key"]
        path = source.store.root / f"manifests/{key[:2]}/{key}.json"
        path.write_text(json.dumps(manifest | {"recipe": reference.model_dump()}))
    assert list_faults(source, QUICK) == []
    path = source.store.root / f"recipes/{reference.sha256}.json"
    path.write_bytes(b"{}")
    expected = f"{path.relative_to(source.store.root)}: expected a recipe with sha256 {reference.sha256[:16]}…, found "
    (sentence,) = list_faults(source, QUICK)
    assert sentence == f"{expected}44136fa355b3678a…; synth verify --repair writes it again"
    path.unlink()
    assert list_faults(source, FULL) == [f"{expected}nothing; synth verify --repair writes it again"]


@pytest.mark.parametrize("name", ["index.parquet", "particles.parquet", "coco.json", "index.html"])
def test_a_document_of_the_dataset_that_is_missing(source: DatasetSource, name: str) -> None:
    file = find_document(source, name)
    size = file.stat().st_size
    file.unlink()
    for depth in (QUICK, FULL):
        sentence = f"{name}: expected {size:,} bytes, found nothing; {WRITES}"
        assert list_faults(source, depth)[0] == sentence


def test_runs_are_checked_without_an_index_too(source: DatasetSource) -> None:
    index, picture = find_document(source, "index.parquet"), find_run(source) / "real.png"
    size, content = picture.stat().st_size, index.read_bytes()
    index.write_bytes(b"no Parquet")
    picture.unlink()
    name = picture.relative_to(source.store.root)
    lost = f"{name}: expected {size:,} bytes, found nothing; {RENDERS}"
    expected = f"index.parquet: expected {len(content):,} bytes, found 10 bytes; {WRITES}"
    assert list_faults(source, FULL) == [expected, lost]
    index.write_bytes(bytes(len(content)))
    found = "expected a Parquet file, found a file that cannot be read (ArrowInvalid: Parquet magic bytes not found"
    assert list_faults(source, QUICK)[0].startswith(f"index.parquet: {found}")


def test_the_copy_of_dataset_json(source: DatasetSource) -> None:
    find_document(source, "dataset.json").write_text("{}")
    sentence = f"expected the content of sweeps/local/discs/dataset.json, found another document; {WRITES}"
    assert list_faults(source, QUICK) == [f"dataset.json: {sentence}"]


def test_a_row_of_the_index_that_is_changed(source: DatasetSource) -> None:
    file = find_document(source, "index.parquet")
    table = pq.read_table(file)
    visible = table["visible"].to_pylist()
    changed = [visible[0], visible[1] + 1, *visible[2:]]
    place = table.schema.get_field_index("visible")
    pq.write_table(table.set_column(place, "visible", [changed]), file)
    faults = list_faults(source, FULL)
    total = sum(visible)
    assert f"index.parquet: expected {total:,} visible particles in all, found {total + 1:,}; {WRITES}" in faults
    row = f"expected visible {visible[1]} of run 1, as in its manifest, found {visible[1] + 1}; {WRITES}"
    assert f"index.parquet: {row}" in faults


def test_a_row_of_the_index_that_is_gone(source: DatasetSource) -> None:
    file = find_document(source, "index.parquet")
    pq.write_table(pq.read_table(file).slice(0, 5), file)
    faults = list_faults(source, QUICK)
    assert f"index.parquet: expected rows of 6 runs, found 5; {WRITES}" in faults
    root = f"index.parquet: expected the root digest {source.dataset.root[:16]}…, found "
    assert any(fault.startswith(root) for fault in faults)


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


def test_a_row_of_the_pooled_table_that_is_gone(source: DatasetSource) -> None:
    file = find_document(source, "particles.parquet")
    pq.write_table(pq.read_table(file).slice(1), file)
    faults = list_faults(source, DEEP)
    assert f"particles.parquet: expected 4 rows of run 1, as in its own table, found 3; {WRITES}" in faults


def test_entries_of_coco_that_are_gone_or_too_many(source: DatasetSource) -> None:
    file = find_document(source, "coco.json")
    lines = file.read_text().split("\n")
    start = lines.index('],"annotations":[')
    gone = json.loads(lines[start + 1].rstrip(","))
    added = json.dumps(gone | {"particle_id": 99}, separators=(",", ":"))
    file.write_text("\n".join([*lines[: start + 1], f"{added},", *lines[start + 2 :]]))
    run, particle = gone["image_id"], gone["particle_id"]
    faults = list_faults(source, DEEP)
    assert f"coco.json: expected annotations of id {particle} of run {run}, found none; {WRITES}" in faults
    extra = f"expected only particles of run {run} in its annotations, found id 99 too; {WRITES}"
    assert f"coco.json: {extra}" in faults


def test_an_image_of_coco_that_is_gone_and_a_category(source: DatasetSource) -> None:
    file = find_document(source, "coco.json")
    lines = file.read_text().split("\n")
    del lines[1]
    lines[0] = lines[0].replace('"name":"Bead"', '"name":"Bean"')
    file.write_text("\n".join(lines))
    faults = list_faults(source, DEEP)
    assert f"coco.json: expected an image of run 0, found none; {WRITES}" in faults
    categories = "expected categories {1: 'Bead', 2: 'Flake'}, found {1: 'Bean', 2: 'Flake'}"
    assert f"coco.json: {categories}; {WRITES}" in faults


def test_a_coco_document_that_another_program_wrote(source: DatasetSource) -> None:
    file = find_document(source, "coco.json")
    file.write_text(json.dumps(json.loads(file.read_bytes()), indent=1))
    sentence = "expected an image of each run, found a file that cannot be read"
    assert any(sentence in fault for fault in list_faults(source, DEEP))


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


def test_a_manifest_that_leads_out_of_the_store(source: DatasetSource) -> None:
    key = find_run(source).parent.name
    file = source.store.root / f"manifests/{key[:2]}/{key}.json"
    manifest = json.loads(file.read_bytes())
    manifest["files"][0]["path"] = "../../secret"
    file.write_text(json.dumps(manifest))
    (sentence,) = list_faults(source, QUICK)
    found = "found one that cannot be read ('../../secret' is no path in a dataset)"
    assert sentence == f"{file.relative_to(source.store.root)}: expected the manifest of run 1, {found}; {RENDERS}"


def test_a_sample_is_the_same_at_every_call(tmp_path: Path) -> None:
    source = render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=tuple(range(20))))
    samples = [
        [checked.run for checked in check_dataset(source, Depth(contents=False, share=0.1)) if checked.run is not None]
        for _ in range(2)
    ]
    assert samples[0] == samples[1]
    assert len(samples[0]) == 4


def test_a_dataset_of_an_earlier_release(source: DatasetSource) -> None:
    """Without hashes of documents, root digest, categories and new columns of the index."""
    file = find_document(source, "index.parquet")
    table = pq.read_table(file)
    pq.write_table(table.drop_columns(["width", "height", "pixel_size", "label_digest", "split"]), file)
    find_document(source, "particles.parquet").unlink()
    document = json.loads(find_document(source, "dataset.json").read_bytes())
    for name in ("root", "categories", "visible", "recipe", "engine_version"):
        del document[name]
    document["files"] = ["coco.json", "index.html", "index.parquet"]
    for path in (find_document(source, "dataset.json"), source.store.root / "sweeps/local/discs/dataset.json"):
        path.write_text(json.dumps(document))
    for depth in (QUICK, FULL, DEEP):
        assert list_faults(source, depth) == []
    file.unlink()
    assert list_faults(source, FULL)[0] == (
        f"index.parquet: expected the file that dataset.json names, found nothing; {WRITES}"
    )
