"""The files of the gallery as a commit writes them: page, rows in pieces, masks."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from disc_datasets import NUMBER, SEED, DiscSweep, render_discs

from synth_dataset.attempts import dataset_commit
from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.views import gallery_pieces
from synth_dataset.views.gallery_page import build_page, shorten_names

if TYPE_CHECKING:
    from pathlib import Path

    from synth_dataset.store.folder_store import FolderStore

SCRIPT = "</script><script>alert(1)</script>"


class Attributes(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.values: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [(name, value or "") for name, value in attributes]


def read_calls(folder: Path, kind: str) -> list[Any]:
    """Arguments of the calls in the pieces of a kind; each is JSON."""
    calls = (path.read_text() for path in sorted(folder.glob(f"gallery/{kind}-*.js")))
    return [
        json.loads(f"[{found}]") for text in calls for found in re.findall(r"^synthGallery\.\w+\((.*)\);$", text, re.M)
    ]


@pytest.fixture
def folder(store: FolderStore) -> Path:
    """The documents of a dataset of six runs."""
    return store.root / render_discs(store, DiscSweep()).dataset.folder


def test_rows_have_the_columns_of_the_index(folder: Path) -> None:
    ((piece,),) = read_calls(folder, "runs")
    assert piece["run"] == list(range(6))
    assert piece["values"] == [[0, 0, 1, 1, 2, 2], [0, 4, 0, 4, 0, 4]]
    assert piece["particles"] == [0, 4, 0, 4, 0, 4]
    assert (piece["sets"], piece["set"]) == ([["real.png", "depth_map.png"]], [0] * 6)
    assert [mean is None for mean in piece["mean"]] == [True, False] * 3
    assert all(path.startswith("runs/") for path in piece["folder"])


def test_pieces_are_bounded_and_none_loses_a_run(
    store: FolderStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((whole,),) = read_calls(folder, "runs")
    monkeypatch.setattr(gallery_pieces, "ROWS", 4)
    dataset = commit_dataset(store, open_attempt(store, folder.relative_to(store.root).as_posix()), [])
    pieces = [piece for (piece,) in read_calls(folder, "runs")]
    assert [len(piece["run"]) for piece in pieces] == [4, 2]
    for name in ("run", "folder", "mean", "bars"):
        assert list(chain.from_iterable(piece[name] for piece in pieces)) == whole[name]
    assert {"gallery/runs-00000.js", "gallery/runs-00001.js", "gallery/page.js"} < set(dataset.file_names)


def test_failed_runs_are_rows_with_reason_and_message(store: FolderStore, folder: Path) -> None:
    failure = FailedRun(number=9, overrides={SEED: 3, NUMBER: 4}, reason="WorkerDied", message="signal 9")
    commit_dataset(store, open_attempt(store, folder.relative_to(store.root).as_posix()), [failure])
    (piece,) = read_calls(folder, "runs")[-1]
    assert piece == {"run": [9], "values": [[3], [4]], "reason": ["WorkerDied"], "message": ["signal 9"]}


def test_masks_are_those_of_the_first_runs(store: FolderStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_commit, "MAX_VIEWED_RUNS", 3)
    monkeypatch.setattr(gallery_pieces, "PIECE_BYTES", 100)
    for path in folder.glob("gallery/masks-*.js"):
        path.unlink()
    commit_dataset(store, open_attempt(store, folder.relative_to(store.root).as_posix()), [])
    calls = read_calls(folder, "masks")
    assert [run for run, _ in calls] == [0, 1, 2]
    assert [len(masks["particles"]) for _, masks in calls] == [0, 4, 0]
    assert set(calls[1][1]["particles"][0]) == {"id", "category", "bbox", "visible"}
    head = json.loads(re.findall(r'id="head">(.*?)</script>', (folder / "index.html").read_text())[0])
    assert (head["masks"], head["maskedRuns"]) == ([0, 2], 3)
    assert len(list(folder.glob("gallery/masks-*.js"))) == 2


def test_equal_datasets_have_equal_pages(store: FolderStore, folder: Path) -> None:
    before = {path: path.read_bytes() for path in (folder / "index.html", *folder.glob("gallery/*"))}
    commit_dataset(store, open_attempt(store, folder.relative_to(store.root).as_posix()), [])
    assert {path: path.read_bytes() for path in before} == before


def test_the_page_loads_no_external_resources(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    attributes = Attributes(page).values
    links = [value for name, value in attributes if name in ("src", "href", "srcset", "action")]
    assert links
    assert not [link for link in links if (":" in link and link != "data:,") or link.startswith("/")]
    assert "default-src 'none'" in page
    assert "unsafe-" not in page
    assert "url(" not in (folder / "gallery/page.css").read_text()
    assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]


def test_names_are_escaped() -> None:
    page = build_page(SCRIPT, [f"a.{SCRIPT}", '"><img src=x onerror=alert(1)>']).decode()
    plain = build_page("beads", ["a.b"]).decode()
    assert SCRIPT not in page
    assert Attributes(page).tags == Attributes(plain).tags
    assert not [name for name, _ in Attributes(page).values if name.startswith("on")]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["blueprints.particles.Bead.number", "initial_runtime_state.seed"], ["number", "seed"]),
        (["a.Bead.number", "a.Flake.number"], ["Bead.number", "Flake.number"]),
        (["steps.5.gravity.2"], ["gravity.2"]),
        (["steps.5.gravity.0", "steps.5.gravity.2"], ["gravity.0", "gravity.2"]),
        (["steps.5.gravity.2", "steps.6.gravity.2"], ["steps.5.gravity.2", "steps.6.gravity.2"]),
        (["number", "a.number"], ["number", "a.number"]),
    ],
)
def test_axes_have_their_shortest_unambiguous_names(paths: list[str], names: list[str]) -> None:
    assert shorten_names(paths) == dict(zip(paths, names, strict=True))
