"""`synth stats`: a table for people, JSON for programs, a page with plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_api.errors import InputError
from synth_cli.commands.stats import count_sample
from synth_cli.main import run
from synth_cli.terminal import consoles
from synth_dataset.store.folder_store import FolderStore


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=(0, 1, 2)))
    return tmp_path / "dataset"


def stats(*arguments: object) -> int:
    return run(["stats", *map(str, arguments)])


def test_people_get_facts_and_a_table_by_axis(dataset: Path, capsys) -> None:
    assert stats(dataset, "--by", "number", "--sample", "50%") == 0
    output, progress = capsys.readouterr()
    lines = {line.split("  ")[0]: line for line in output.splitlines()}
    assert lines["runs"].split() == ["runs", "6"]
    assert "in 4 of 6 pictures" in lines["grey mean"]
    assert "[1, 10, 100], COCO's default, is enough" in lines["maxDets"]
    assert lines["4"].split()[:2] == ["4", "3"]
    assert progress == ""


def test_programs_get_json(dataset: Path, capsys) -> None:
    assert stats(dataset, "--by", "number", "--sample", "0", "-o", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["name"], document["all"]["runs"], document["all"]["pictures"]) == ("discs", 6, None)
    assert [(group["value"], group["max_detections"]) for group in document["groups"]] == [(0, 0), (4, 4)]


def test_a_page_is_written_on_request(dataset: Path, tmp_path: Path) -> None:
    assert stats(dataset, "--html", tmp_path / "page.html") == 0
    assert "Histogram of noise of a picture" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("name", ["index.parquet", "particles.parquet"])
def test_a_damaged_table_is_an_error_that_names_it(dataset: Path, capsys, name: str) -> None:
    table = next((dataset / "sweeps").rglob(name))
    table.write_bytes(b"PAR1" + 8 * b"\xff" + b"\x08\x00\x00\x00PAR1")
    assert stats(dataset) == 75
    remedy = "is not Parquet; synth gallery writes the tables of a folder again, synth retry those of a sweep"
    assert f"error: {table}: {remedy}\n" in capsys.readouterr().err
    assert run(["gallery", str(dataset)]) == 0
    assert stats(dataset) == 0


def export(dataset: Path, out: Path, *words: str) -> Path:
    assert run(["export", str(dataset), "--out", str(out), *words]) == 0
    return out


def read_statistics(capsys: pytest.CaptureFixture[str], place: Path) -> dict[str, Any]:
    capsys.readouterr()
    assert stats(place, "--by", "number", "-o", "json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize(
    ("words", "has_grey_values"),
    [
        ("coco", True), ("yolo", True), ("pairs", True),
        ("pairs --layout stardist", False), ("huggingface", False), ("webdataset", False),
    ],
)  # fmt: skip
def test_an_export_has_the_statistics_of_its_runs(
    dataset: Path, tmp_path: Path, capsys, words: str, has_grey_values: bool
) -> None:
    expected = read_statistics(capsys, dataset)
    if not has_grey_values:
        for group in (expected["all"], *expected["groups"]):
            group["pictures"] = None
    out = export(dataset, tmp_path / "out", "--format", *words.split(), "--split", "train=0.5,test=0.5")
    assert read_statistics(capsys, out) == expected


def test_an_export_of_some_runs_has_those_alone(dataset: Path, tmp_path: Path, capsys) -> None:
    out = export(dataset, tmp_path / "out", "--format", "coco", "--where", "number = 4")
    found = read_statistics(capsys, out)
    assert (found["all"]["runs"], [group["value"] for group in found["groups"]]) == (3, [4])


def test_a_published_version_has_the_statistics_of_its_longest_export(dataset: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "two.yaml").write_text(
        "{apiVersion: synth-operator.io/v1alpha1, kind: SynthDataset, metadata: {name: two}, spec: {version: '1', "
        "sources: [{sweepRef: {name: discs}}], exports: [{format: yolo, limit: 1}, {format: coco}]}}"
    )
    assert run(["dataset", "build", str(tmp_path / "two.yaml"), "--store", str(dataset), "--workers", "1"]) == 0
    expected = read_statistics(capsys, dataset)
    for place in ("two", "two/1"):
        assert read_statistics(capsys, dataset / "datasets/local" / place) == expected | {"name": "two"}
    (tmp_path / "results.json").write_text("[]")
    assert run(["score", str(tmp_path / "results.json"), str(dataset / "datasets/local/two")]) == 0
    assert run(["export", str(dataset / "datasets/local/two"), "--format", "coco", "--out", str(tmp_path / "x")]) == 2
    problem = "is an export or a version of a dataset, which this does not read; give the dataset it was made from"
    assert problem in capsys.readouterr().err


def test_an_export_that_cannot_be_described_says_why(dataset: Path, tmp_path: Path, capsys) -> None:
    out = export(dataset, tmp_path / "out", "--format", "coco")
    (out / "images/train/000001.png").unlink()
    assert stats(out) == 75
    assert "000001.png: is missing; synth verify lists what else is, and export again" in capsys.readouterr().err
    (out / "index.parquet").unlink()
    assert stats(out) == 2
    assert "has no index.parquet: an earlier release has written the export; export again" in capsys.readouterr().err
    assert stats(out, "--name", "discs") == 2
    assert "--name: is for folders of datasets" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--by", "colour"], "--by: there is no axis or column 'colour'"),
        (["--sample", "some"], "--sample: 'some' is no number of pictures; write for example 100 or 5%"),
        (["--html", "/no/such/folder/x.html"], "--html: /no/such/folder/x.html cannot be written"),
        (["--name", "other"], "holds no dataset 'other'"),
    ],
)
def test_a_mistake_is_one_sentence(dataset: Path, capsys, words: list[str], problem: str) -> None:
    assert stats(dataset, *words) == 2
    assert problem in capsys.readouterr().err


def test_a_missing_or_damaged_picture_names_the_run_and_what_repairs_it(dataset: Path, capsys) -> None:
    picture = next(dataset.glob("runs/*/*/*/real.png"))
    picture.write_bytes(b"cut")
    assert stats(dataset) == 75
    assert f"its picture cannot be read ({picture} is not a picture); synth verify --repair" in capsys.readouterr().err
    picture.unlink()
    assert stats(dataset) == 75
    run_key = picture.parts[-3][:12]
    repair = "synth verify --repair renders the run again"
    assert f"error: run {run_key} of {dataset}: its picture is missing; {repair}\n" in capsys.readouterr().err


def test_columns_that_do_not_fit_into_a_line_follow_below(dataset: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(consoles, "PLAIN_WIDTH", 60)
    assert stats(dataset, "--by", "number") == 0
    lines = capsys.readouterr().out.splitlines()
    headers = [line for line in lines if line.startswith("number")]
    assert len(headers) > 1
    assert headers[0].split("   ")[1:4] == ["runs", "per picture", "maxDets"]
    assert sum(line.startswith("4 ") for line in lines) == len(headers)
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("1%", 1), ("50%", 50), ("0.5%", 1), ("100%", 100)])
def test_a_sample_is_a_number_or_a_share(text: str, number: int) -> None:
    assert count_sample(text, 100) == number


@pytest.mark.parametrize("text", ["1.5", "101%", "-3", "x"])
def test_no_other_sample_is_accepted(text: str) -> None:
    with pytest.raises(InputError, match="is no number of pictures"):
        count_sample(text, 100)
