"""SynthDataset: what a definition may say, and what makes another version."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from synth_api.jobs.dataset_input import DatasetInput, hash_build, version_folder
from synth_api.problems import convert_validation_error
from synth_api.resources.synth_dataset import DatasetSpec, SourceDataset
from synth_api.splits import DEFAULT_SPLIT, SplitRule

SPEC: dict[str, Any] = {
    "version": "3",
    "sources": [{"sweepRef": {"name": "spheres"}}, {"sweepRef": {"name": "broad"}, "where": "particles > 3"}],
    "split": {"train": 0.8, "val": 0.1, "test": 0.1},
    "exports": [{"format": "coco"}, {"format": "webdataset", "shardSize": "256Mi"}],
    "card": {"title": "Spheres", "licence": "cc-by-4.0", "authors": ["A. Author"]},
}
OUTPUT = {"endpoint": "minio.store:9000", "bucket": "lab"}


def read(**changes: Any) -> DatasetSpec:
    return DatasetSpec.model_validate(SPEC | changes)


def explain(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        read(**changes)
    return str(convert_validation_error(caught.value))


def export(**options: Any) -> list[dict[str, Any]]:
    return [{"format": "coco", **options}]


def source(name: str, attempt: str = "a") -> SourceDataset:
    return SourceDataset(name=name, plan="0" * 64, attempt=attempt * 64, output=OUTPUT)


def test_a_definition_has_the_splits_and_options_of_synth_export() -> None:
    spec = read(splitBy=["number=200,300:test"], salt="s", group="number", exports=export(**{"with": ["depth"]}))

    assert [(share.split, float(share.share)) for share in spec.splits.shares] == [
        ("test", 0.1),
        ("train", 0.8),
        ("val", 0.1),
    ]
    assert spec.splits.rules == (SplitRule("number", (200, 300), "test"),)
    assert (spec.splits.salt, spec.splits.group) == ("s", "number")
    assert spec.exports[0].pictures == ("depth_map",)
    assert spec.card is not None
    assert spec.card.licence == "CC-BY-4.0"
    assert DEFAULT_SPLIT not in {share.split for share in read(split={}).splits.shares}, "the sweeps' own split holds"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": ""}, "version: must be the name of a version, such as 3 or 1.0-rc1"),
        ({"version": "../1"}, "at most 63, and not dataset.json, not '../1'"),
        ({"version": "dataset.json"}, "not dataset.json, not 'dataset.json'"),
        ({"sources": []}, "sources: must have 1 entries, not 0"),
        ({"sources": [SPEC["sources"][0]] * 2}, "sources: a sweep is there twice; name each sweep once"),
        ({"split": {"train": 0.8, "val": 0.1}}, "split: the shares sum to 0.9; make them sum to 1"),
        ({"split": {"Train": 1}}, "'Train' cannot be the name of a split: use lower-case letters"),
        ({"splitBy": ["number"]}, "splitBy[0]: 'number' is not AXIS=VALUES:SPLIT"),
        ({"exports": []}, "exports: must have 1 entries, not 0"),
        ({"exports": export() * 2}, "exports: a format is there twice, and both exports would have one folder"),
        ({"exports": [{"format": "voc"}]}, "exports[0].format: there is no 'voc' here; "),
        ({"exports": export(boxes=True)}, "exports[0]: boxes changes only yolo; take it out of exports of other"),
        ({"exports": export(layout="stardist")}, "exports[0]: layout changes only pairs"),
        ({"exports": export(shardSize="1Mi")}, "exports[0]: shardSize changes only webdataset and huggingface"),
        ({"exports": [{"format": "yolo", "masks": "rle"}]}, "exports[0]: masks changes only coco"),
        ({"exports": [{"format": "yolo", "below": "ignore"}]}, "readers of yolo and pairs know no particles to ignore"),
        ({"exports": [{"format": "pairs", "amodal": True}]}, "exports[0]: a pixel of pairs has one particle"),
        ({"exports": export(classes="one", classMap={"a": "b"})}, "exports[0]: classes and classMap exclude each"),
        ({"exports": export(**{"with": ["depht"]})}, "exports[0].with[0]: there is no such picture 'depht'; did you"),
        ({"exports": [{"format": "webdataset", "shardSize": "1K"}]}, "shardSize: must be a size in Mi or Gi, such as"),
        ({"card": {"licence": "CC-BY"}}, "card.licence: 'CC-BY' is no SPDX licence identifier"),
        ({"card": {"version": "3"}}, "card.version: there is no key 'version' here"),
    ],
)
def test_a_wrong_definition_is_one_sentence(changes: dict[str, Any], says: str) -> None:
    assert says in explain(**changes)


def test_another_definition_is_another_digest() -> None:
    spec = read()

    assert spec.digest == read(exports=export(boxes=False, minArea=0) + SPEC["exports"][1:]).digest
    assert spec.digest == read(parallelism=9, output=OUTPUT, deletionPolicy="Delete").digest
    changes: list[dict[str, Any]] = [
        {"version": "4"},
        {"sources": SPEC["sources"][:1]},
        {"split": {"train": 1}},
        {"salt": "other"},
        {"exports": export()},
        {"card": {"title": "Other"}},
    ]
    assert len({spec.digest, *(read(**change).digest for change in changes)}) == 1 + len(changes)


def test_another_dataset_of_a_source_is_another_build() -> None:
    digest = read().digest
    assert hash_build("uid", digest, [source("a")]) == hash_build("uid", digest, [source("a")])
    assert hash_build("uid", digest, [source("a")]) != hash_build("uid", digest, [source("a", "b")])


def test_pods_read_what_the_operator_wrote() -> None:
    spec = read(output=OUTPUT)
    given = DatasetInput(
        namespace="lab",
        name="sem",
        definition=spec,
        datasets=(source("spheres"), source("broad")),
        output=spec.output,
        parts=4,
        build="0" * 64,
    )
    again = DatasetInput.model_validate_json(given.model_dump_json(exclude_none=True))

    assert again.definition.digest == spec.digest
    assert again.datasets == given.datasets
    assert version_folder("lab", "sem", "3") == "datasets/lab/sem/3"
