"""`synth dataset build`: a version from a file, its result for people and programs, and mistakes in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from disc_datasets import DiscSweep, render_discs

from synth_api.errors import TryAgainError
from synth_cli.local.dataset_building import order_build, write_chunks
from synth_cli.local.dataset_file import read_dataset_file
from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore

FILE = """
apiVersion: synth-operator.io/v1alpha1
kind: SynthDataset
metadata: {name: discs}
spec:
  version: "3"
  sources: [{sweepRef: {name: one-disc}}, {sweepRef: {name: two}, where: number > 0}]
  split: {train: 0.5, test: 0.5}
  exports: [{format: coco}, {format: yolo}]
"""


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the command, with the file `discs.yaml` and two sweeps in `dataset`."""
    store = FolderStore(tmp_path / "dataset")
    render_discs(store, DiscSweep(name="one_disc", seeds=(0, 1, 2)))
    render_discs(store, DiscSweep(name="two", seeds=(3, 4)))
    (tmp_path / "discs.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build(*arguments: str) -> int:
    return run(["dataset", "build", "discs.yaml", *arguments])


def change(folder: Path, **spec: object) -> None:
    tree = yaml.safe_load(FILE)
    tree["spec"] |= spec
    (folder / "discs.yaml").write_text(json.dumps(tree))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_result_says_counts_address_and_how_to_load_it(dataset: Path, capsys) -> None:
    assert build("--workers", "1") == 0
    output, progress = capsys.readouterr()
    assert "exporting 16 of 16 runs" in progress
    lines = output.splitlines()
    assert lines[0] == "discs, version 3: 8 runs"
    assert lines[2].split() == ["split", "runs", "objects"]
    counts = {line.split()[0]: int(line.split()[1]) for line in lines[3:5]}
    assert (set(counts), sum(counts.values())) == ({"test", "train"}, 8)
    folder = Path("dataset/datasets/local/discs/3")
    assert f"version   {folder}" in output
    loading = next(line for line in lines if line.startswith("from pycocotools"))
    variables: dict[str, object] = {}
    exec(loading, variables)
    assert len(variables["dataset"].imgs) == counts["train"]
    assert json.loads((folder / "dataset.json").read_bytes())["root"] in output


def test_the_result_as_json(dataset: Path, capsys) -> None:
    assert build("--workers", "1", "-o", "json") == 0
    result = json.loads(capsys.readouterr().out)
    document = json.loads((dataset / "dataset/datasets/local/discs/3/dataset.json").read_bytes())
    assert (result["version"], result["runs"], result["root"]) == ("3", 8, document["root"])
    assert result["address"] == "dataset/datasets/local/discs/3"
    assert result["splits"] == document["splits"]
    assert [(one["format"], one["address"]) for one in result["exports"]] == [
        (one["format"], f"{result['address']}/{one['folder']}") for one in document["exports"]
    ]


def test_several_processes_write_the_same_bytes(dataset: Path) -> None:
    assert build("--workers", "1", "--out", "alone") == 0
    assert build("--workers", "2", "--out", "together") == 0
    assert files_of(dataset / "together") == files_of(dataset / "alone")
    assert any((dataset / "together/datasets/local/discs/3").glob("coco-*/checksums.sha256"))


def test_a_published_version_is_left_alone_or_named(dataset: Path, capsys) -> None:
    build("--workers", "1")
    first = capsys.readouterr().out
    before = files_of(dataset / "dataset/datasets")
    assert build() == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (first, "version 3 was published before; its files stay as they are\n")
    change(dataset, salt="x")
    assert build() == 2
    assert "spec.version: '3' is published and stays as it is, but salt was not set" in capsys.readouterr().err
    assert files_of(dataset / "dataset/datasets") == before


def test_a_place_that_is_no_folder_is_one_sentence(dataset: Path, capsys) -> None:
    (dataset / "file").write_bytes(b"")
    assert build("--out", "file") == 2
    assert "error: file: the dataset folder cannot be written" in capsys.readouterr().err


def test_a_split_without_runs_is_said(dataset: Path, capsys) -> None:
    change(dataset, sources=[{"sweepRef": {"name": "two"}, "where": "seed = 3"}])
    assert build("--workers", "1") == 0
    assert "has no runs that spec.sources[].where keeps; let it keep more" in capsys.readouterr().err


def test_a_process_that_cannot_open_the_datasets_says_why(dataset: Path) -> None:
    order = order_build(read_dataset_file(Path("discs.yaml")), "dataset", None, None)
    prepared = order.prepare()
    for plan in dataset.rglob("plan.json"):
        plan.unlink()
    with pytest.raises(TryAgainError, match="the attempt cannot be read"):
        list(write_chunks(order, prepared, 2))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "discs.yaml: holds a list; give the YAML file of a SynthDataset"),
        (FILE.replace("SynthDataset", "SynthSweep"), "kind: is 'SynthSweep' in discs.yaml; it must be SynthDataset"),
        (FILE.replace("v1alpha1", "v1"), "apiVersion: is 'synth-operator.io/v1' in discs.yaml; it must be synth-op"),
        (FILE.replace("{name: discs}", "{name: My Discs}"),
         "metadata.name: must be lower-case letters, digits and '-' inside, at most 63, not 'My Discs'"),
        (FILE.replace('"3"', "3"), "spec.version: must be a string, not 3"),
        (FILE.replace("split:", "splits:"), "spec.splits: there is no key 'splits' here; did you mean 'split'?"),
        (FILE.replace("sources:", "sorces:"), "spec.sorces: there is no key 'sorces' here; did you mean 'sources'?"),
        (FILE.replace("format: coco", "format: cocoa"), "spec.exports[0].format: there is no 'cocoa' here; did you me"),
        (FILE.replace("one-disc", "one_disc"), "spec.sources[0].sweepRef.name: 'one_disc' cannot be the name of a Synt"
         "hSweep: use lower-case letters, digits and '-'; one-disc names a dataset 'one_disc' of this machine too"),
        (FILE.replace("one-disc", "three"), "holds no dataset 'three'; known are one_disc, two"),
        (FILE.replace("number > 0", "size > 0"), "spec.sources[1].where: there is no axis or column 'size'"),
        (FILE.replace("train: 0.5", "train: 0.4"), "spec.split: the shares sum to 0.9; make them sum to 1"),
        (FILE.replace("spec:", "specs:"), "spec: must be a mapping, not null"),
    ],
)  # fmt: skip
def test_mistakes_are_named_and_nothing_is_written(dataset: Path, capsys, text: str, problem: str) -> None:
    (dataset / "discs.yaml").write_text(text)
    assert build() == 2
    assert problem in capsys.readouterr().err
    assert not (dataset / "dataset/datasets").exists()


def test_a_file_that_is_not_there_is_named(dataset: Path, capsys) -> None:
    (dataset / "discs.yaml").unlink()
    assert build() == 2
    assert "discs.yaml: is no file; give the YAML file of a SynthDataset" in capsys.readouterr().err


def test_a_lost_picture_ends_the_build_which_then_continues(dataset: Path, capsys) -> None:
    pictures = list((dataset / "dataset/runs").rglob("real.png"))
    for picture in pictures:
        picture.rename(picture.with_name("elsewhere.png"))
    assert build("--workers", "2") == 75
    assert (
        "real.png: this file of a run is missing; synth verify --repair renders the run again"
        in capsys.readouterr().err
    )
    for picture in pictures:
        picture.with_name("elsewhere.png").rename(picture)
    assert build("--workers", "1") == 0
