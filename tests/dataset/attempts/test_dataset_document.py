"""What `dataset.json` and the tables beside it say of a dataset."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_api.dataset_card import DatasetCard
from synth_dataset.attempts.attempt import find_dataset, open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

CARD = DatasetCard(
    title="Beads", licence="CC-BY-4.0", version="1.0", authors=("A. Author",), split={"train": 0.5, "test": 0.5}
)
VIEWS = (
    lambda folder, *_: (folder / "coco.json").write_bytes(b"{}"),
    lambda folder, *_: (folder / "index.html").write_bytes(b"page"),
)
SEEDS = tuple(range(8))


@pytest.fixture
def put_table(store, record_of):
    """Commit a run with as many particles as its seed."""

    def put(key: str, seed: int, content: bytes | None = None):
        with store.open_scratch(key) as folder:
            path = folder / "particles.parquet"
            pq.write_table(pa.table({"id": pa.array(range(seed), pa.int32())}), path)
            if content is not None:
                path.write_bytes(content)
            return store.commit_run(folder, record_of(key, seed=seed, width=640, height=480, pixel_size=0.25))

    return put


@pytest.fixture
def sweep(sweep_of, put_table):
    made = replace(sweep_of(*SEEDS), card=CARD, particle_blueprints=("Bead",), base={"blueprints": {"limit": 1e400}})
    for number, seed in enumerate(SEEDS):
        put_table(made.key(number), seed)
    return made


@pytest.fixture
def dataset(store, sweep):
    return commit_dataset(store, begin_call(store, sweep).attempt, [], VIEWS)


def test_it_names_every_file_beside_it_with_its_size_and_hash(store, dataset) -> None:
    assert dataset.file_names == ("coco.json", "index.html", "index.parquet", "particles.parquet")
    for file in dataset.files:
        content = store.read(f"{dataset.folder}/{file.path}")
        assert (len(content), sha256(content).hexdigest()) == (file.bytes, file.sha256)


def test_it_has_the_card_the_recipe_and_the_engine(store, dataset) -> None:
    document = json.loads(store.read(layout.pointer_path("local", "beads")))
    assert {key: document[key] for key in ("title", "licence", "version", "authors", "split")} == {
        "title": "Beads",
        "licence": "CC-BY-4.0",
        "version": "1.0",
        "authors": ["A. Author"],
        "split": {"test": 0.5, "train": 0.5},
    }
    assert document["recipe"] == {"blueprints": {"limit": "inf"}}
    assert document["engine_version"] == open_attempt(store, dataset.folder).document.engine_version
    assert document["categories"] == [
        {"id": 1, "name": "Bead", "supercategory": "particle", "blueprints": ["Bead"]},
    ]


def test_the_index_has_size_scale_digest_and_split_of_each_run(store, dataset) -> None:
    index = pq.read_table(BytesIO(store.read(f"{dataset.folder}/index.parquet"))).to_pylist()
    assert {(row["width"], row["height"], row["pixel_size"], row["label_digest"]) for row in index} == {
        (640, 480, 0.25, "0" * 64)
    }
    splits = CARD.splits
    assert splits is not None
    assert [row["split"] for row in index] == [splits.find_split(seed, {}) for seed in SEEDS]
    assert {row["split"] for row in index} == {"train", "test"}


def test_the_pooled_table_has_the_particles_of_all_runs_with_their_splits(store, dataset) -> None:
    table = pq.read_table(BytesIO(store.read(f"{dataset.folder}/particles.parquet")))
    index = pq.read_table(BytesIO(store.read(f"{dataset.folder}/index.parquet"))).to_pylist()
    assert table.select(["run", "key", "split", "id"]).to_pylist() == [
        {"run": row["run"], "key": row["key"], "split": row["split"], "id": number}
        for row in index
        for number in range(row["seed"])
    ]


def test_without_splits_the_column_is_null(store, sweep) -> None:
    dataset = commit_dataset(store, begin_call(store, replace(sweep, card=DatasetCard())).attempt, [], ())
    for name in ("index.parquet", "particles.parquet"):
        column = pq.read_table(BytesIO(store.read(f"{dataset.folder}/{name}")))["split"]
        assert column.null_count == len(column) > 0
        assert column.type == pa.string()


def test_the_same_runs_keep_root_and_time_of_their_first_commit(store, dataset) -> None:
    attempt = open_attempt(store, dataset.folder)
    assert commit_dataset(store, attempt, [], VIEWS) == dataset
    document = attempt.document.model_copy(update={"card": DatasetCard(title="Other")})
    other = commit_dataset(store, replace(attempt, document=document), [], VIEWS)
    assert (other.root, other.created, other.title) == (dataset.root, dataset.created, "Other")


def test_other_runs_are_another_root_and_time(store, dataset, sweep_of, put_table) -> None:
    grown = replace(sweep_of(*SEEDS, 99), card=CARD)
    put_table(grown.key(8), 99)
    other = commit_dataset(store, begin_call(store, grown).attempt, [], VIEWS)
    assert other.root != dataset.root
    assert other.created > dataset.created


@pytest.mark.parametrize("damaged", [b"no table", b"PAR1" + 8 * b"\xff" + b"\x08\x00\x00\x00PAR1"])
def test_a_damaged_table_is_named_and_the_dataset_before_stays(store, dataset, sweep_of, put_table, damaged) -> None:
    grown = replace(sweep_of(*SEEDS, 99), card=CARD)
    put_table(grown.key(8), 99, damaged)
    with pytest.raises(
        DocumentError, match=r"particles\.parquet: is not Parquet; remove it, and the same synth render"
    ):
        commit_dataset(store, begin_call(store, grown).attempt, [], VIEWS)
    assert find_dataset(store, "local", "beads") == dataset


def test_a_document_of_an_earlier_release_can_be_read(store, dataset) -> None:
    pointer = layout.pointer_path("local", "beads")
    new = ("root", "recipe", "engine_version", *DatasetCard.model_fields)
    document = {key: value for key, value in json.loads(store.read(pointer)).items() if key not in new}
    document["files"] = ["index.parquet", "coco.json", "index.html"]
    document["categories"] = [{"id": 1, "name": "Bead"}]
    store.write(pointer, json.dumps(document).encode())
    old = find_dataset(store, "local", "beads")
    assert old.file_names == ("index.parquet", "coco.json", "index.html")
    assert old.categories[0].members == ("Bead",)
    again = commit_dataset(store, open_attempt(store, dataset.folder), [], VIEWS)
    assert again.model_copy(update={"created": dataset.created}) == dataset
