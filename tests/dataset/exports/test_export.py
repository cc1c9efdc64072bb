"""Exports as a whole: selection, joined datasets, repetition, interruption, places, links and damaged documents."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
import yaml
from disc_datasets import pack_discs

from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.export_options import parse_pictures
from synth_api.recipe.categories import ParticleCategory
from synth_api.splits import Splits, parse_rule, parse_shares
from synth_dataset.attempts.dataset_source import find_source, open_source
from synth_dataset.documents.attempt_document import number_categories
from synth_dataset.documents.document import DocumentError
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore

THIRDS = Splits(parse_shares("train=1/3,val=1/3,test=1/3"))


def document_of(folder):
    return json.loads((folder / "dataset.json").read_bytes())


def runs_of(folder, split="train"):
    images = json.loads((folder / f"annotations/instances_{split}.json").read_bytes())["images"]
    return [(image["seed"], image["run"]) for image in images]


def test_every_file_has_its_digest_and_no_other_file_is_there(discs, export, tree_of) -> None:
    tree = tree_of(export(discs, splits=THIRDS))
    lines = tree.pop("checksums.sha256").decode().splitlines()
    assert {line.split("  ")[1]: line.split("  ")[0] for line in lines} == {
        path: hashlib.sha256(content).hexdigest() for path, content in tree.items()
    }
    assert len(lines) == len(tree)
    assert {"README.md", "CITATION.cff", "croissant.json", "dataset.json", "particles.parquet"} <= set(tree)


def test_a_repeated_export_has_the_same_bytes(discs, export, tree_of) -> None:
    first = tree_of(export(discs, out="a", splits=THIRDS))
    assert tree_of(export(discs, out="b", splits=THIRDS)) == first
    assert tree_of(export(discs, out="a", splits=THIRDS)) == first


@pytest.mark.parametrize("format_", ["coco", "yolo", "pairs", "huggingface", "webdataset"])
def test_an_export_of_packed_runs_has_the_same_bytes(discs, export, tree_of, format_) -> None:
    options = {"format": format_, "splits": THIRDS, "link": "copy"}
    of_files = tree_of(export(discs, out="files", **options))
    assert tree_of(export(pack_discs(discs, 0.6), out="mixed", **options)) == of_files
    assert tree_of(export(pack_discs(discs), out="packed", **options)) == of_files


def test_packed_runs_are_copied_and_others_linked(discs, export) -> None:
    mixed = pack_discs(discs, 0.6)
    folder = export(mixed) / "images/train"
    assert sorted(picture.stat().st_nlink for picture in folder.iterdir()) == [1, 1, 1, 1, 2, 2]
    with pytest.raises(InputError, match="--link: 'hard' needs runs as files, and some are in shards; take auto or"):
        export(mixed, out="hard", link="hard")


@pytest.mark.parametrize("end", [0, 3, 9, 14, 24, 33])
def test_an_interrupted_export_continues(discs, export, tree_of, tmp_path, prepare_in, monkeypatch, end) -> None:
    monkeypatch.setattr("synth_dataset.exports.chunks.MAX_CHUNK_RUNS", 2)
    whole = tree_of(export(discs, out="whole"))
    unfinished = prepare_in([discs], tmp_path / "again")
    target = unfinished.format.context.target
    real, writes = target.store.write, []

    def write(path, content):
        if len(writes) == end:
            raise KeyboardInterrupt
        writes.append(path)
        real(path, content)

    monkeypatch.setattr(target.store, "write", write)
    try:
        unfinished.write()
    except KeyboardInterrupt:
        assert end <= len(writes)
    done = []
    prepare_in([discs], tmp_path / "again").write(done.append)
    assert sum(done) == 6
    assert tree_of(tmp_path / "again") == whole


def test_finished_chunks_are_not_read_again(discs, tmp_path, prepare_in, monkeypatch) -> None:
    monkeypatch.setattr("synth_dataset.exports.chunks.MAX_CHUNK_RUNS", 2)
    export = prepare_in([discs], tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("synth_dataset.exports.export._write_documents", lambda *_: pytest.fail("stop"))
        with pytest.raises(pytest.fail.Exception):
            export.write()
    read = []
    monkeypatch.setattr(
        "synth_dataset.exports.export.ChunkWriter", lambda *_: read.append(1)  # called for an unfinished chunk only
    )  # fmt: skip
    prepare_in([discs], tmp_path / "out").write()
    assert read == []


def test_a_place_with_other_files_is_refused(discs, export, tmp_path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/thesis.tex").write_text("")
    with pytest.raises(InputError, match="is not empty and holds no export; choose another --out"):
        export(discs, out="used")
    with pytest.raises(InputError, match="is not empty"):
        export(discs, out="dataset")
    assert (tmp_path / "used/thesis.tex").exists()


def test_another_export_in_the_place_is_kept(discs, export) -> None:
    export(discs)
    with pytest.raises(InputError, match="holds another export, of other runs or with other options"):
        export(discs, limit=2)


def test_the_filter_and_the_limit_choose_runs(discs, export) -> None:
    assert runs_of(export(discs, out="a", where="number > 0")) == [(0, 1), (1, 3), (2, 5)]
    assert runs_of(export(discs, out="b", where="number > 0", limit=2)) == [(0, 1), (1, 3)]
    assert runs_of(export(discs, out="c", where="seed > 7")) == []
    with pytest.raises(InputError, match="--where: there is no axis or column 'nummer'; did you mean"):
        export(discs, out="d", where="nummer = 1")


def test_runs_of_one_seed_are_in_one_split(discs, export) -> None:
    folder = export(discs, splits=THIRDS)
    sides = [dict(runs_of(folder, split)) for split in ("train", "val", "test")]
    assert sorted(seed for side in sides for seed in side) == [0, 1, 2]
    assert {split: counts["runs"] for split, counts in document_of(folder)["splits"].items()} == {
        split: 2 * len(side) for split, side in zip(("train", "val", "test"), sides, strict=True)
    }


def test_rules_and_groups_split_by_an_axis(discs, export) -> None:
    rules = Splits(rules=(parse_rule("number=4:test"),))
    assert runs_of(export(discs, out="a", splits=rules), "test") == [(0, 1), (1, 3), (2, 5)]
    grouped = export(discs, out="b", splits=Splits(THIRDS.shares, group="number"))
    for split in ("train", "val", "test"):
        assert len(runs_of(grouped, split)) in (0, 3, 6)
    with pytest.raises(InputError, match="--split-by: there is no axis or column 'colour'"):
        export(discs, out="c", splits=Splits(rules=(parse_rule("colour=4:test"),)))


def test_several_datasets_are_joined_by_key_and_by_name(render, export, disc_sweep, tmp_path) -> None:
    one = render(FolderStore(tmp_path / "one"), disc_sweep(seeds=(0, 1)))
    two = render(FolderStore(tmp_path / "two"), disc_sweep(name="more", seeds=(1, 2)))
    other = render(FolderStore(tmp_path / "three"), disc_sweep(name="rods", seeds=(5,), particle_blueprints=("Apple",)))
    folder = export(one, two, other)
    assert runs_of(folder) == [(0, 0), (0, 1), (1, 2), (1, 3), (2, 6), (2, 7), (5, 8), (5, 9)]
    document = document_of(folder)
    assert [kind["name"] for kind in document["categories"]] == ["Apple", "Bead", "Flake"]
    assert [source["name"] for source in document["sources"]] == ["discs", "more", "rods"]
    assert document["name"] == "discs+more+rods"


def test_a_run_with_other_labels_in_two_datasets_is_a_clash_of_both(render, export, disc_sweep, tmp_path) -> None:
    one = render(FolderStore(tmp_path / "one"), disc_sweep(seeds=(0, 1)))
    two = render(FolderStore(tmp_path / "two"), disc_sweep(seeds=(1, 2), labels=1))
    with pytest.raises(InputError, match=r"has other labels in .*/one \(discs\) than in .*/two \(discs\); export them"):
        export(one, two)


def test_a_dataset_is_given_once(discs, export) -> None:
    with pytest.raises(InputError, match=r"dataset \(discs\) is there twice; give each dataset once"):
        export(discs, discs)


def test_classes_may_be_one_or_those_of_a_file(discs, export) -> None:
    one = document_of(export(discs, out="one", classes="one"))
    assert [(kind["id"], kind["name"]) for kind in one["categories"]] == [(1, "particle")]
    mapped = document_of(export(discs, out="mapped", classes={"Bead": None, "Flake": "plate"}))
    assert [(kind["id"], kind["name"]) for kind in mapped["categories"]] == [(1, "plate")]
    assert 0 < mapped["splits"]["train"]["objects"] < one["splits"]["train"]["objects"]
    with pytest.raises(InputError, match="the file has no entry for 'Flake'; add 'Flake: CLASS', or null to drop it"):
        export(discs, out="a", classes={"Bead": "x"})
    with pytest.raises(InputError, match="the file has 'Beat', which is no class; did you mean 'Bead'"):
        export(discs, out="a", classes={"Bead": "x", "Flake": "x", "Beat": "x"})


def test_categories_and_blueprints_are_classes(render, export, disc_sweep, tmp_path) -> None:
    source = render(FolderStore(tmp_path / "one"), disc_sweep())
    (category,) = [ParticleCategory("disc", "flat", ("Bead", "Flake"))]
    joined = replace(source, dataset=source.dataset.model_copy(update={"categories": number_categories([category])}))
    assert [one["name"] for one in document_of(export(joined, out="a"))["categories"]] == ["disc"]
    kinds = document_of(export(joined, out="b", classes="blueprint"))["categories"]
    assert [(kind["name"], kind["supercategory"]) for kind in kinds] == [("Bead", "flat"), ("Flake", "flat")]


def test_a_class_with_two_meanings_is_a_clash_of_both_datasets(render, export, disc_sweep, tmp_path) -> None:
    one = render(FolderStore(tmp_path / "one"), disc_sweep())
    two = render(FolderStore(tmp_path / "two"), disc_sweep(name="more", supercategory="dust", seeds=(7,)))
    with pytest.raises(InputError, match=r"'Bead' of class 'Bead' \(particle\) in .*/one \(discs\) does not fit"):
        export(one, two)
    assert document_of(export(one, two, classes="one"))["categories"][0]["name"] == "particle"


def test_the_card_has_recipe_and_command(discs, export) -> None:
    recipe = {"initial_runtime_state": {"seed": 3}}
    source = replace(discs, attempt=discs.attempt.model_copy(update={"recipe": recipe}))
    folder = export(source)
    path = f"recipes/{discs.attempt.plan[:8]}.yaml"
    assert yaml.safe_load((folder / path).read_text()) == {"defaults": ["BaseRecipe", "_self_"], **recipe}
    axes = "'initial_runtime_state.seed=0,1,2' 'blueprints.particles.Bead.number=0,4'"
    assert f"from its recipe:\n\n```sh\nsynth render {path} {axes}\n```" in (folder / "README.md").read_text()
    assert document_of(folder)["sources"][0]["root"] == discs.dataset.root
    without_axes = replace(source, attempt=source.attempt.model_copy(update={"axes": ()}))
    card = (export(without_axes, out="bare") / "README.md").read_text()
    assert f"```sh\nsynth render {path}\n```" in card
    old = replace(discs, attempt=discs.attempt.model_copy(update={"recipe": None}))
    assert "whose first run has this recipe:" in (export(old, out="old") / "README.md").read_text()


def test_what_people_say_of_a_dataset_is_on_its_card(render, export, disc_sweep, tmp_path) -> None:
    said = DatasetCard(title="Discs", licence="CC-BY-4.0", authors=("A", "B"), split={"train": 0.5, "test": 0.5})
    source = render(FolderStore(tmp_path / "one"), disc_sweep(card=said))
    folder = export(source, splits=Splits(()))
    document = document_of(folder)
    assert (document["title"], document["licence"], document["authors"]) == ("Discs", "CC-BY-4.0", ["A", "B"])
    assert sorted(document["splits"]) == ["test", "train"]
    assert json.loads((folder / "annotations/instances_train.json").read_bytes())["licenses"] == [
        {"id": 1, "name": "CC-BY-4.0", "url": "https://spdx.org/licenses/CC-BY-4.0.html"}
    ]
    assert yaml.safe_load((folder / "CITATION.cff").read_text())["authors"] == [{"name": "A"}, {"name": "B"}]
    other = render(FolderStore(tmp_path / "two"), disc_sweep(name="more", card=DatasetCard(authors=("C",)), seeds=(9,)))
    with pytest.raises(InputError, match="have different splits of their own; give --split"):
        export(source, other, splits=Splits(()))
    both = document_of(export(source, other, out="both"))
    assert (both["title"], both["authors"]) == ("", ["A", "B", "C"])


def test_pictures_are_linked_where_possible_and_copied_if_asked(discs, export) -> None:
    linked = next((export(discs, out="a") / "images/train").iterdir())
    assert linked.stat().st_nlink == 2
    copied = next((export(discs, out="b", link="copy") / "images/train").iterdir())
    assert copied.stat().st_nlink == 1


def test_a_file_system_without_links_gets_copies_or_an_error(discs, export, monkeypatch) -> None:
    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert next((export(discs, out="a") / "images/train").iterdir()).stat().st_nlink == 1
    with pytest.raises(InputError, match=r"--link: 'hard': images/.* cannot be linked \(Invalid cross-device link\)"):
        export(discs, out="b", link="hard")


def test_a_damaged_or_missing_picture_is_named(discs, export) -> None:
    picture = next((discs.store.root / "runs").rglob("real.png"))
    content = picture.read_bytes()
    picture.write_bytes(content[:-1] + b"?")
    with pytest.raises(DocumentError, match=r"real\.png: is not the file that the manifest of its run names"):
        export(discs, link="copy")
    picture.write_bytes(content[:-1])
    with pytest.raises(DocumentError, match=r"real\.png: is not the file that the manifest of its run names"):
        export(discs, out="linked")
    picture.unlink()
    with pytest.raises(DocumentError, match=r"real\.png: this file of a run is missing; synth verify --repair"):
        export(discs, link="copy")


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a//b", "~/a", "a\\b", "a\nb", ".", "..", "a/."])
def test_no_document_leads_out_of_a_store_or_an_export(discs, tmp_path, path) -> None:
    with pytest.raises(DocumentError, match="is no path in a dataset; this program did not write the document"):
        Target(FolderStore(tmp_path / "out")).write(path, b"x")
    assert not (tmp_path / "out").exists()
    forged = discs.dataset.model_copy(update={"folder": path})
    with pytest.raises(DocumentError, match="is no path in a dataset"):
        open_source(discs.store, forged)


def test_the_card_has_no_effect_of_names(render, export, disc_sweep, tmp_path) -> None:
    kinds = ("<script>", "a|b\n# c")
    source = render(FolderStore(tmp_path / "odd"), disc_sweep(name="*odd*", particle_blueprints=kinds))
    folder = export(source)
    card = (folder / "README.md").read_text()
    assert "<script>" not in card
    assert r"\<script\>" in card
    assert "\n# c" not in card
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["pretty_name"] == "*odd*"
    assert yaml.safe_load((folder / "CITATION.cff").read_text())["title"] == "*odd*"


def test_the_pooled_table_has_all_particles_with_run_and_split(discs, export) -> None:
    table = pq.read_table(export(discs, splits=THIRDS) / "particles.parquet").to_pylist()
    assert [(row["run"], row["id"]) for row in table] == [(run, one) for run in (1, 3, 5) for one in (1, 2, 3, 4)]
    assert {row["split"] for row in table} <= {"train", "val", "test"}


def test_a_dataset_is_found_by_name(discs, render, disc_sweep) -> None:
    assert find_source(discs.store, None).dataset == discs.dataset
    render(discs.store, disc_sweep(name="more"))
    assert find_source(discs.store, "more").dataset.name == "more"
    with pytest.raises(InputError, match="holds 2 datasets; choose with --name: discs, more"):
        find_source(discs.store, None)
    with pytest.raises(InputError, match="holds no dataset 'x'; known are discs, more"):
        find_source(discs.store, "x")


def test_a_dataset_in_a_bucket_is_exported(discs, export, render, minio_store, disc_sweep, tree_of) -> None:
    local = tree_of(export(discs))
    source = render(minio_store, disc_sweep())
    fetched = tree_of(export(source, out="fetched"))
    assert set(fetched) == set(local)
    documents = [json.loads(tree["annotations/instances_train.json"]) for tree in (fetched, local)]
    assert documents[0]["images"] == documents[1]["images"]
    assert documents[0]["annotations"] == documents[1]["annotations"]


def test_a_bucket_gets_the_same_bytes(discs, export, minio_store, tree_of) -> None:
    local = tree_of(export(discs))
    prepare_export([discs], ExportOptions(format="coco"), Target(minio_store)).write()
    names = [path.removeprefix("/") for path in minio_store.iterate_files("images")]
    assert names == [path for path in sorted(local) if path.startswith("images/")]
    for path in ("dataset.json", "checksums.sha256", "annotations/instances_train.json", *names):
        assert minio_store.read(path) == local[path]
    assert list(minio_store.iterate_files(".export")) == []
    with pytest.raises(InputError, match="holds another export"):
        prepare_export([discs], ExportOptions(format="coco", limit=1), Target(minio_store))


def test_words_of_with_are_rendering_modes() -> None:
    assert parse_pictures("depth,normals,depth_map") == ("depth_map", "normal_map")
    with pytest.raises(InputError, match="--with: there is no such picture 'depht'; did you mean 'depth'"):
        parse_pictures("depht")


def test_a_picture_that_no_run_has_is_named(discs, export) -> None:
    with pytest.raises(DocumentError, match="has no normal_map; the recipe must ask for it, see docs/labels"):
        export(discs, pictures=("normal_map",))
