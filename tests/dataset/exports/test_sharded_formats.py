"""Formats webdataset and huggingface: shards of one split in the order of keys, complete and the same each time."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from synth_api.splits import Splits, parse_rule, parse_shares
from synth_dataset.exports import huggingface_format, shards

HALVES = Splits(parse_shares("train=1/2,test=1/2"))


@pytest.fixture
def two_runs_a_shard(monkeypatch):
    """Shards of two runs."""
    monkeypatch.setattr(shards, "_measure_run", lambda _: (256 << 20) / 2)


def members_of(path):
    with tarfile.open(path) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]


def rows_of(folder, split):
    paths = sorted((folder / "data").glob(f"{split}-*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def decode(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_tar_files_have_the_runs_in_the_order_of_keys(discs, export, labels_of, two_runs_a_shard) -> None:
    folder = export(discs, format="webdataset", splits=HALVES, pictures=("depth_map",))
    found = 0
    for split in ("train", "test"):
        names = []
        for path in sorted(folder.glob(f"{split}-*.tar")):
            members = members_of(path)
            assert len(members) <= 8
            for member, content in members:
                key, _, kind = member.name.partition(".")
                assert (member.mtime, member.uid, member.uname, member.mode) == (0, 0, "", 0o644)
                names.append((key, kind))
                if kind == "instances.npy":
                    assert (np.load(io.BytesIO(content)) == labels_of(discs, key)).all()
                if kind == "json":
                    document = json.loads(content)
                    assert (document["key"], document["split"]) == (key, split)
                    assert len(document["objects"]) == len(np.unique(labels_of(discs, key))) - 1
                    found += 1
        assert names == sorted(names, key=lambda name: name[0])
        assert {kind for _, kind in names} <= {"image.png", "depth_map.png", "instances.npy", "json"}
    assert found == 6


def test_the_list_of_shards_has_counts_and_digests(discs, export, two_runs_a_shard) -> None:
    folder = export(discs, format="webdataset")
    listed = json.loads((folder / "train.json").read_bytes())["shardlist"]
    assert [entry["nsamples"] for entry in listed] == [2, 2, 2]
    for number, entry in enumerate(listed):
        content = (folder / f"train-{number:06d}.tar").read_bytes()
        assert entry["url"] == f"train-{number:06d}.tar"
        assert (entry["filesize"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_parquet_files_have_pictures_ids_and_objects(discs, export, labels_of, two_runs_a_shard) -> None:
    folder = export(discs, format="huggingface", splits=HALVES, classes="blueprint", min_area=60)
    for split in ("train", "test"):
        for row in rows_of(folder, split):
            ids = labels_of(discs, row["key"])
            sizes = np.bincount(ids.ravel(), minlength=8)
            assert (decode(row["instances"]["bytes"]) == np.where(sizes[ids] >= 60, ids, 0)).all()
            assert decode(row["image"]["bytes"]).shape == ids.shape
            kept = [number for number in np.unique(ids[ids > 0]).tolist() if sizes[number] >= 60]
            assert row["objects"]["id"] == kept
            assert row["objects"]["category"] == [number % 2 for number in kept]
            assert row["objects"]["area"] == [sizes[number] for number in kept]
    assert len(rows_of(folder, "train")) + len(rows_of(folder, "test")) == 6
    assert sorted(path.name for path in (folder / "data").glob("train-*")) == sorted(
        f"train-{number:05d}-of-{len(list((folder / 'data').glob('train-*'))):05d}.parquet"
        for number in range(len(list((folder / "data").glob("train-*"))))
    )


def test_rows_are_written_in_groups_of_bounded_bytes(discs, export, tree_of, monkeypatch) -> None:
    one = pq.ParquetFile(export(discs, format="huggingface") / "data/train-00000-of-00001.parquet")
    assert (one.num_row_groups, one.metadata.num_rows) == (1, 6)
    monkeypatch.setattr(huggingface_format, "MAX_GROUP_BYTES", 10_000)
    more = pq.ParquetFile(export(discs, out="more", format="huggingface") / "data/train-00000-of-00001.parquet")
    assert more.num_row_groups == 3
    assert more.read().equals(one.read())


def configuration_of(folder):
    head = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    (config,) = head["configs"]
    return config


def files_named_by(folder):
    return {entry["split"]: entry["path"] for entry in configuration_of(folder)["data_files"]}


def test_the_cache_of_datasets_tells_exports_in_folders_of_one_name_apart(discs, export) -> None:
    first, again, other = (
        configuration_of(export(discs, out=f"{place}/export", format="huggingface", limit=limit))
        for place, limit in (("a", 2), ("b", 2), ("c", 3))
    )
    assert first["config_name"] == again["config_name"] != other["config_name"]
    assert first["default"]


def test_the_card_names_the_files_of_splits_with_runs(discs, export) -> None:
    both = export(discs, format="huggingface", splits=Splits(rules=(parse_rule("seed=1:test"),)))
    assert files_named_by(both) == {"train": "data/train-*", "test": "data/test-*"}
    one = export(discs, out="one", format="huggingface", splits=HALVES, where="seed = 1")
    assert list(files_named_by(one)) == [path.name.split("-")[0] for path in (one / "data").iterdir()]


def test_files_have_features_even_without_runs(discs, export) -> None:
    folder = export(discs, format="huggingface", splits=HALVES, where="seed > 7")
    assert files_named_by(folder) == {"train": "data/train-*"}
    path = folder / "data/train-00000-of-00001.parquet"
    features = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["objects"]["category"]["feature"]["names"] == ["Bead", "Flake"]
    assert pq.read_table(path).num_rows == 0


def test_an_interrupted_export_goes_on_at_its_shard(discs, export, tree_of, tmp_path, prepare_in, monkeypatch) -> None:
    monkeypatch.setattr(shards, "_measure_run", lambda _: (256 << 20) / 2)
    for name in ("webdataset", "huggingface"):
        whole = tree_of(export(discs, out=f"{name}-whole", format=name))
        unfinished = prepare_in([discs], tmp_path / name, format=name)
        store, writes = unfinished.format.context.target.store, []
        real = store.write

        def write(path, content, real=real, writes=writes):
            if len(writes) == 4:
                raise KeyboardInterrupt
            writes.append(path)
            real(path, content)

        monkeypatch.setattr(store, "write", write)
        with pytest.raises(KeyboardInterrupt):
            unfinished.write()
        prepare_in([discs], tmp_path / name, format=name).write()
        assert tree_of(tmp_path / name) == whole


def test_shards_have_about_the_size_that_was_asked_for(discs, export) -> None:
    folder = export(discs, format="webdataset", shard_bytes=1 << 20)
    assert [path.name for path in sorted(folder.glob("*.tar"))] == ["train-000000.tar"]
