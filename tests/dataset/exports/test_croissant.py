"""croissant.json: pictures by files or by columns, each with its split."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch

import pytest

from synth_api.splits import Splits, parse_rule


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"format": "coco"}, ["pictures"]),
        ({"format": "yolo"}, ["pictures"]),
        ({"format": "pairs"}, ["pictures", "masks"]),
        ({"format": "pairs", "layout": "stardist"}, ["pictures", "masks"]),
        ({"format": "huggingface"}, ["pictures"]),
        ({"format": "webdataset"}, []),
    ],
)
def test_pictures_and_masks_are_record_sets_with_splits(discs, export, tree_of, options, names) -> None:
    folder = export(discs, splits=Splits(rules=(parse_rule("seed=1:test"),)), **options)
    document = json.loads((folder / "croissant.json").read_bytes())
    files = {one["@id"]: one for one in document["distribution"]}
    sets = {one["name"]: one["field"] for one in document["recordSet"]}
    assert list(sets) == [*names, "particles"]
    for name in names:
        matching = [path for path in tree_of(folder) if fnmatch(path, files[f"{name}-files"]["includes"])]
        fields = {field["name"]: field for field in sets[name]}
        regex = fields["split"]["source"]["transform"]["regex"]
        splits = [re.search(regex, path)[1] for path in matching]
        if options["format"] == "huggingface":
            assert (sorted(splits), set(fields)) == (["test", "train"], {"path", "split", "image", "instances"})
        else:
            assert (splits.count("train"), splits.count("test"), len(splits)) == (4, 2, 6)
            assert set(fields) == {"path", "split", "content"}
