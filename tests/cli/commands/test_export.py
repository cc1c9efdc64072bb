"""`synth export`: options, the line that loads the result, and mistakes in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_api.errors import InputError
from synth_api.export_options import parse_size
from synth_cli.local.bucket_address import build_output
from synth_cli.local.export_options import read_classes
from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=(0, 1)))
    return tmp_path / "dataset"


def export(*arguments: object) -> int:
    return run(["export", *map(str, arguments)])


def test_the_line_that_loads_the_result_is_all_of_stdout(dataset: Path, tmp_path: Path, capsys) -> None:
    assert export(dataset, "--format", "coco", "--out", tmp_path / "out") == 0
    output, progress = capsys.readouterr()
    assert "exporting 4 of 4 runs" in progress
    variables: dict[str, object] = {}
    exec(output, variables)
    assert len(variables["dataset"].imgs) == 4


def test_a_split_without_runs_is_said_before_the_export(dataset: Path, tmp_path: Path, capsys) -> None:
    warnings = []
    for number, words in enumerate([
        ["--split", "a=0.000001,b=0.999999"],
        ["--split", "a=1/2,b=1/2", "--salt", "z", "--where", "seed == 0"],
        ["--split", "a=1/2,b=1/2", "--salt", "z", "--limit", "1"],
        ["--split", "b=1", "--split-by", "seed=77:a"],
        ["--split", "a=1", "--split-by", "number=0,4:b"],
    ]):  # fmt: skip
        assert export(dataset, "--format", "coco", "--out", tmp_path / str(number), *words) == 0
        splits = json.loads((tmp_path / str(number) / "dataset.json").read_bytes())["splits"]
        (empty,) = [name for name, counts in splits.items() if not counts["runs"]]
        (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith("warning")]
        warnings.append(line.replace(f"split {empty} has no runs", "…"))
    assert warnings == [
        "warning: …; those of one seed, or of one value of the group, are in one split; take more of these, or "
        "another salt",
        "warning: … that --where keeps; let it keep more",
        "warning: … among the first 1; take a larger --limit",
        "warning: …, because none has a value that --split-by gives it; look at the values",
        "warning: …, because --split-by gives them to others; give it fewer",
    ]


def test_a_file_of_classes_without_classes_is_refused(dataset: Path, tmp_path: Path, capsys) -> None:
    for path in (Path("/dev/null"), tmp_path / "empty.yaml"):
        (tmp_path / "empty.yaml").write_text("{}")
        assert export(dataset, "--format", "coco", "--out", tmp_path / "out", "--classes", path) == 2
        error = f"error: {path}: has no classes; write lines such as `WideSphere: particle`\n"
        assert capsys.readouterr().err == error


@pytest.mark.parametrize("name", ["annotations.json", "particles.parquet"])
def test_a_damaged_file_of_a_run_has_a_remedy(dataset: Path, tmp_path: Path, capsys, name: str) -> None:
    path = next(dataset.glob(f"runs/*/*/*/{name}"))
    path.write_bytes(b"x" * path.stat().st_size)
    assert export(dataset, "--format", "coco", "--out", tmp_path / "out") == 75
    kind = {"annotations.json": "JSON", "particles.parquet": "Parquet"}[name]
    problem = f"error: {path}: is not {kind}; synth verify --repair renders the run again\n"
    assert problem in capsys.readouterr().err


def test_a_place_that_is_no_folder_is_one_sentence(dataset: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert export(dataset, "--format", "coco", "--out", tmp_path / "file" / "out") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path}/file/out: the dataset folder cannot be written")
    assert error.endswith("choose another with --out\n")


def test_all_options_reach_the_export(dataset: Path, tmp_path: Path) -> None:
    classes = tmp_path / "classes.yaml"
    classes.write_text("Bead: ball\nFlake: null\n")
    out = tmp_path / "out"
    text = (
        "--format coco --split train=0.5,test=0.5 --salt x --group number --split-by seed=1:held_out --limit 3 "
        "--masks rle --amodal --min-visible 0.2 --min-area 3 --below ignore --with depth --link copy"
    )
    words = text.split()
    assert export(dataset, *words, "--where", "seed >= 0", "--classes", classes, "--out", out) == 0
    options = json.loads((out / "dataset.json").read_bytes())["options"]
    expected = {
        "split": {"train": "1/2", "test": "1/2"},
        "salt": "x",
        "group": "number",
        "split_by": [["seed", [1], "held_out"]],
        "where": "seed >= 0",
        "limit": 3,
        "classes": {"Bead": "ball", "Flake": None},
        "masks": "rle",
        "amodal": True,
        "min_visible": 0.2,
        "min_area": 3,
        "below": "ignore",
        "with": ["depth_map"],
    }
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--split train=0.8", "--split: the shares sum to 0.8; make them sum to 1"),
        ("--where number<", "--where: 'number<' is not a filter of runs: at position 8 expected a value"),
        ("--limit 0", "--limit: must be at least 1, not 0"),
        ("--min-visible 1.5", "--min-visible: must lie between 0 and 1, 1.5 does not"),
        ("--min-area -1", "--min-area: must be at least 0, not -1"),
        ("--classes two", "--classes: 'two' is neither a file nor one of blueprint, category, one"),
        ("--with colour", "--with: there is no such picture 'colour'"),
        ("--shard-size 3x", "--shard-size: '3x' is no size of at least 1Mi; write for example 256Mi"),
        ("--name other", "holds no dataset 'other'; known are discs"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(dataset: Path, tmp_path: Path, capsys, words, problem) -> None:
    assert export(dataset, "--format", "coco", "--out", tmp_path / "out", *words.split()) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sizes_have_units() -> None:
    assert [parse_size(text) for text in ("256Mi", "1G", "2097152", "1GiB")] == [256 << 20, 10**9, 2 << 20, 1 << 30]
    for text in ("", "12", "1Ti", "-1Mi"):
        with pytest.raises(InputError, match="is no size of at least 1Mi"):
            parse_size(text)


@pytest.mark.parametrize("text", ["- a", "a: [b]", "a: ''", "1: b", ": :", "\x00"])
def test_a_file_of_classes_is_a_mapping_of_names(tmp_path: Path, text: str) -> None:
    (tmp_path / "classes.yaml").write_text(text)
    with pytest.raises(InputError, match="is no mapping of names to classes; write lines such as"):
        read_classes(str(tmp_path / "classes.yaml"))


def test_an_address_of_a_bucket_has_an_endpoint(monkeypatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    output = build_output("s3://lab/sets/one/", "http://minio:9000", "--out")
    assert (output.endpoint, output.bucket, output.prefix, output.insecure) == ("minio:9000", "lab", "sets/one", True)
    assert build_output("s3://lab", None, "--out").endpoint == "s3.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example")
    assert build_output("s3://lab", None, "--out").endpoint == "store.example"
    with pytest.raises(InputError, match=r"--out: 's3://B/x': .*; write s3://BUCKET/PREFIX"):
        build_output("s3://B/x", None, "--out")
    with pytest.raises(InputError, match="--endpoint: 'ftp://a/b' is no endpoint; write http://HOST:PORT"):
        build_output("s3://lab", "ftp://a/b", "--out")
