"""`synth diff`: a table for people, a document for programs, exit codes as `diff` has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore


def make(folder: Path, **values: object) -> str:
    render_discs(FolderStore(folder), DiscSweep(base={"physics": {"steps": 1}}, **values))
    return str(folder)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    render_discs(FolderStore(tmp_path / "two"), DiscSweep(seeds=(1, 2), base={"physics": {"steps": 2}}, labels=3))
    return make(tmp_path / "one", seeds=(0, 1)), str(tmp_path / "two")


def test_equal_datasets(tmp_path: Path, capsys) -> None:
    one, two = make(tmp_path / "one"), make(tmp_path / "two")
    assert run(["diff", one, two]) == 0
    assert capsys.readouterr().out == f"{one} (discs) and {two} (discs): 6 equal runs\n"


def test_a_table_for_people(folders: tuple[str, str], capsys) -> None:
    assert run(["diff", *folders]) == 1
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == f"{folders[0]} (discs) and {folders[1]} (discs): runs 2 added, 2 removed, 2 changed"
    assert lines[2:4] == ["axis initial_runtime_state.seed: - 0, + 2", "recipe /physics/steps: 1 → 2"]
    assert lines[5:] == [
        "A B run values difference",
        "2 0 changed seed=1 number=0 other labels of one recipe",
        "3 1 changed seed=1 number=4 other labels of one recipe",
        "0 removed seed=0 number=0",
        "1 removed seed=0 number=4",
        "2 added seed=2 number=0",
        "3 added seed=2 number=4",
    ]


def test_json(folders: tuple[str, str], capsys) -> None:
    assert run(["diff", *folders, "-o", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["equal"] is False
    assert document["runs"] == {"equal": 0, "added": 2, "removed": 2, "changed": 2}
    assert document["recipe"] == [{"op": "replace", "path": "/physics/steps", "old": 1, "new": 2}]
    assert document["axes"] == [{"path": "initial_runtime_state.seed", "removed": [0], "added": [2]}]
    assert document["changed"][0]["what"] == "labels"
    assert [each["location"] for each in document["datasets"]] == list(folders)


def test_two_datasets_of_one_folder(tmp_path: Path, capsys) -> None:
    folder = make(tmp_path / "one", name="before")
    make(tmp_path / "one", name="after", seeds=(0, 1, 2, 3))
    assert run(["diff", folder, folder, "--name", "before", "--name", "after"]) == 1
    assert "runs 6 equal, 2 added" in capsys.readouterr().out
    assert run(["diff", folder, folder]) == 2
    assert "holds 2 datasets; choose with --name: after, before" in capsys.readouterr().err
    assert run(["diff", folder, folder, *["--name", "a"] * 3]) == 2
    assert "--name is given at most twice, for A and for B" in capsys.readouterr().err


def test_a_folder_without_a_dataset_is_an_error(tmp_path: Path, capsys) -> None:
    assert run(["diff", make(tmp_path / "one"), str(tmp_path / "nothing")]) == 2
    assert "holds no dataset; give the folder or bucket" in capsys.readouterr().err
