"""The gallery in Chromium, opened from disk: what it shows, how it is used without a mouse, and how little it holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from disc_datasets import HEIGHT, NUMBER, SEED, WIDTH, DiscSweep, draw_discs, pack_discs, render_discs, stack_discs

from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.views.gallery_page import build_page, write_assets
from synth_dataset.views.gallery_pieces import build_failure_piece, build_run_piece, write_pieces
from synth_dataset.views.size_histogram import summarize_sizes

if TYPE_CHECKING:
    from pathlib import Path

    from chromium import Chromium

MANY = 20_000
MAX_NODES = 1_500
FAILURE = FailedRun(number=6, overrides={SEED: 3, NUMBER: 4}, reason="GateFailed", message="the labels do not fit")


class Gallery:
    """A page in the browser."""

    def __init__(self, browser: Chromium, address: str) -> None:
        self.browser = browser
        self.address = address

    def open(self, state: str = "") -> Gallery:
        self.browser.open(f"{self.address}#{state}")
        return self

    def runs(self) -> list[int]:
        """Runs of the cards in the document, in its order."""
        found: list[int] = self.browser.evaluate("[...document.querySelectorAll('.run')].map(card => card.row.run)")
        return found

    def text(self, name: str) -> str:
        """What a reader sees of an element."""
        element = f"document.getElementById({json.dumps(name)})"
        text: str = self.browser.evaluate(f"{element}.checkVisibility() ? {element}.innerText : ''")
        return text

    def focused(self) -> str:
        """Id of the focused element, or that of its card."""
        found: str = self.browser.evaluate(
            "document.activeElement.id || (document.activeElement.closest('[id]') ?? {}).id || ''"
        )
        return found

    def state(self) -> str:
        state: str = self.browser.evaluate("decodeURIComponent(location.hash.slice(1))")
        return state


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of six runs and one that failed."""
    store = FolderStore(tmp_path_factory.mktemp("discs"))
    folder = render_discs(store, DiscSweep()).dataset.folder
    commit_dataset(store, open_attempt(store, folder), [FAILURE])
    return store.root / folder / "index.html"


@pytest.fixture
def page(chromium: Chromium, discs: Path) -> Gallery:
    chromium.resize(1280, 900)
    return Gallery(chromium, discs.as_uri())


@pytest.fixture(scope="module")
def many_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of MANY runs of as many seeds, each with one particle more than the one before, up to 99."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "gallery").mkdir()
    write_assets(folder / "gallery")
    pieces = write_pieces(
        folder / "gallery", [build_rows(range(start, start + 4000)) for start in range(0, MANY, 4000)]
    )
    (folder / "index.html").write_bytes(build_page("many", [SEED], pieces=pieces))
    return folder / "index.html"


def build_rows(runs: range) -> dict[str, Any]:
    numbers = np.arange(runs.start, runs.stop)
    columns = dict.fromkeys(("run", SEED, "seed"), numbers) | {"particles": numbers % 100, "visible": numbers % 100}
    texts = {
        "seconds": [0.5] * len(runs),
        "split": [None] * len(runs),
        "folder": [f"runs/{run:064x}/12345678" for run in runs],
        "pictures": [["real.png", "depth_map.png"]] * len(runs),
    }
    sizes = summarize_sizes(np.repeat(numbers, 2), np.linspace(4, 6, 2 * len(runs)))
    return build_run_piece(pa.table({**columns, **texts}), sizes, [SEED])


@pytest.fixture
def many(chromium: Chromium, many_runs: Path) -> Gallery:
    chromium.resize(1280, 900)
    return Gallery(chromium, many_runs.as_uri())


def test_all_runs_and_failures_are_shown_at_first(page: Gallery) -> None:
    page.open()
    assert page.runs() == list(range(7))
    assert page.text("count") == "7 runs"
    assert page.text("summary") == "6 runs, 12 particles, 1 failed"
    assert page.browser.problems == []


def test_a_failed_run_says_why(page: Gallery) -> None:
    page.open()
    card = page.browser.evaluate("document.querySelector('.failed').innerText")
    assert "GateFailed" in card
    assert "the labels do not fit" in card
    page.open("run=6")
    assert page.text("viewer-failure") == "GateFailed: the labels do not fit"


@pytest.mark.parametrize(
    ("state", "runs"),
    [
        ("axis.number=4&axis.seed=0&axis.seed=2", [1, 5]),
        ("outcome=GateFailed", [6]),
        ("outcome=rendered&axis.number=4", [1, 3, 5]),
        ("min.particles=1", [1, 3, 5]),
        ("max.particles=3", [0, 2, 4]),
        ("q=seed=1", [2, 3]),
        ("q=LABELS fit", [6]),
        ("q=number=4 seed=2", [5]),
        ("axis.seed=7", []),
        ("sort=particles&order=descending&outcome=rendered", [1, 3, 5, 0, 2, 4]),
        ("sort=particles&order=descending", [1, 3, 5, 0, 2, 4, 6]),
        ("sort=axis.number&max.particles=4", [0, 2, 4, 1, 3, 5]),
        ("order=descending", [6, 5, 4, 3, 2, 1, 0]),
    ],
)
def test_filters_and_order_are_in_the_address(page: Gallery, state: str, runs: list[int]) -> None:
    page.open(state)
    assert page.runs() == runs
    if len(runs) < 7:
        assert page.text("count") == f"{len(runs)} of 7 runs"
    if not runs:
        assert page.text("empty") == "No run matches."


def test_controls_change_the_address_and_clear_empties_it(page: Gallery) -> None:
    page.open("show=real&sort=mean")
    for click in ("#facets [data-key='axis.number'] [data-value='4']", "#summary a"):
        page.browser.evaluate(f"document.querySelector({json.dumps(click)}).click()")
    assert page.runs() == [6]
    assert page.state() == "show=real&sort=mean&axis.number=4&outcome=GateFailed"
    page.browser.evaluate("document.getElementById('clear').click()")
    assert page.state() == "show=real&sort=mean"
    assert len(page.runs()) == 7


def test_keys_search_walk_open_and_close(page: Gallery) -> None:
    page.open()
    page.browser.press("/")
    assert page.focused() == "search"
    page.browser.press(*"seed=1")
    assert page.runs() == [2, 3]
    page.browser.press("Escape")
    assert page.state() == ""
    page.browser.press("Home")
    assert page.focused() == "r0"
    page.browser.press("ArrowRight", "ArrowDown")
    assert page.focused() == "r3"
    page.browser.press("End")
    assert page.focused() == "r6"
    page.browser.press("Home", "Enter")
    assert page.text("viewer-title") == "run 0"
    page.browser.press("ArrowDown", "ArrowRight", "b")
    assert page.state() == "run=1&picture=depth_map&over=boxes"
    page.browser.press("Escape")
    page.browser.wait("!document.getElementById('viewer').open")
    assert (page.state(), page.focused()) == ("over=boxes", "r1")


def test_the_masks_over_a_picture_are_those_of_the_run(page: Gallery) -> None:
    page.open("run=3&over=masks")
    page.browser.wait("!document.getElementById('overlay').hidden")
    canvas = "document.getElementById('overlay')"
    data = f"Array.from({canvas}.getContext('2d').getImageData(0, 0, {WIDTH}, {HEIGHT}).data)"
    pixels = np.array(page.browser.evaluate(data)).reshape(HEIGHT, WIDTH, 4)
    ids = stack_discs(draw_discs(1, 4))
    assert np.array_equal(pixels[..., 3] > 0, ids > 0)
    colors = {tuple(color) for color in pixels[pixels[..., 3] == 255][:, :3].tolist()}
    assert len(colors) == len(np.unique(ids[ids > 0]))
    assert page.text("overlay-state") == f"{len(colors)} visible particles"


def test_boxes_are_drawn_around_the_particles(page: Gallery) -> None:
    page.open("run=3&over=boxes")
    page.browser.wait("!document.getElementById('overlay').hidden")
    data = f"Array.from(document.getElementById('overlay').getContext('2d').getImageData(0, 0, {WIDTH}, {HEIGHT}).data)"
    drawn = np.array(page.browser.evaluate(data)).reshape(HEIGHT, WIDTH, 4)[..., 3] == 255
    rows, columns = np.nonzero(stack_discs(draw_discs(1, 4)) == 4)
    assert drawn[rows.min(), columns.min() : columns.max() + 1].all()
    assert drawn[rows.min() : rows.max() + 1, columns.max()].all()


def test_masks_that_are_not_beside_the_page_are_explained(many: Gallery) -> None:
    many.open("run=7&over=masks")
    many.browser.wait("document.getElementById('overlay-state').textContent")
    assert "masks of the first 0 runs; synth gallery --watch shows those of all" in many.text("overlay-state")


@pytest.fixture(scope="module")
def packed_discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of six runs, three of them in a shard."""
    store = FolderStore(tmp_path_factory.mktemp("packed"))
    source = pack_discs(render_discs(store, DiscSweep()), 0.5)
    commit_dataset(source.store, open_attempt(source.store, source.dataset.folder), [])
    return store.root / source.dataset.folder / "index.html"


def test_a_page_from_disk_shows_thumbnails_and_masks_of_runs_in_shards(chromium: Chromium, packed_discs: Path) -> None:
    page = Gallery(chromium, packed_discs.as_uri()).open()
    chromium.wait("[...document.querySelectorAll('.run img')].every(image => image.naturalWidth === 8)")
    sources = chromium.evaluate("[...document.querySelectorAll('.run img')].map(image => image.src.slice(0, 5))")
    assert sorted(sources) == ["data:"] * 3 + ["file:"] * 3
    packed = page.runs()[sources.index("data:")]
    page.open(f"run={packed}&over=boxes")
    chromium.wait("document.getElementById('viewer-failure').textContent")
    sentence = "real is not beside the page. If its run is in a shard, synth gallery DATASET --watch shows it."
    assert page.text("viewer-failure") == sentence
    chromium.wait("document.getElementById('overlay-state').textContent")
    assert "visible particle" in page.text("overlay-state")
    plain = page.runs()[sources.index("file:")]
    page.open(f"run={plain}")
    chromium.wait("document.getElementById('viewer-picture').naturalWidth > 0")
    assert page.text("viewer-failure") == ""


def test_a_screen_reader_hears_what_a_card_shows(page: Gallery) -> None:
    page.open()
    card = page.browser.evaluate(
        "(card => [card.getAttribute('role'), card.parentElement.getAttribute('role'),"
        " card.ariaPosInSet, card.ariaSetSize,"
        " card.querySelector('a').ariaLabel, card.querySelector('img').alt])(document.getElementById('r1'))"
    )
    assert card[:4] == ["listitem", "list", "2", "7"]
    assert card[4].startswith("run 1, seed 0, number 4, particles 4")
    assert card[5] == "run 1: real, depth_map"
    assert page.browser.evaluate("document.querySelectorAll('.run a[tabindex=\"0\"]').length") == 1
    unnamed = (
        "[...document.querySelectorAll('button, input, select, a')]"
        ".filter(e => !e.ariaLabel && !e.innerText && e.offsetParent).length"
    )
    assert page.browser.evaluate(unnamed) == 0


def test_few_of_many_runs_are_in_the_document_wherever_it_is_scrolled(many: Gallery) -> None:
    many.open()
    assert many.text("count") == "20,000 runs"
    for share in (0, 0.31, 0.77, 1):
        many.browser.evaluate(f"scrollTo(0, {share} * document.documentElement.scrollHeight)")
        many.browser.wait("true")
        runs = many.runs()
        assert 0 < len(runs) < 60
        assert runs == list(range(runs[0], runs[0] + len(runs)))
        assert many.browser.evaluate("document.querySelectorAll('*').length") < MAX_NODES
    assert runs[-1] == MANY - 1
    many.open("sort=particles&order=descending&q=9")
    assert many.browser.evaluate("document.querySelectorAll('*').length") < MAX_NODES


def test_the_last_of_many_runs_is_reached_by_key(many: Gallery) -> None:
    many.open()
    many.browser.evaluate("document.querySelector('.run a').focus()")
    many.browser.press("End")
    assert many.focused() == f"r{MANY - 1}"
    many.browser.press("ArrowLeft", "PageUp")
    assert many.focused() in {f"r{run}" for run in many.runs()}


@pytest.mark.parametrize(
    ("pieces", "summary", "empty"),
    [
        ([], "0 runs, 0 particles", "The dataset has no runs yet."),
        ([build_failure_piece([FAILURE], [SEED])], "0 runs, 0 particles, 1 failed", ""),
        ([build_rows(range(1))], "1 run, 0 particles", ""),
    ],
)
def test_datasets_of_no_run_one_run_and_only_failures(
    chromium: Chromium, tmp_path: Path, pieces: list[Any], summary: str, empty: str
) -> None:
    (tmp_path / "gallery").mkdir()
    write_assets(tmp_path / "gallery")
    page = build_page("few", [SEED], pieces=write_pieces(tmp_path / "gallery", pieces))
    (tmp_path / "index.html").write_bytes(page)
    opened = Gallery(chromium, (tmp_path / "index.html").as_uri()).open()
    assert (opened.text("summary"), opened.text("empty")) == (summary, empty)
    assert len(opened.runs()) == len(pieces)


def test_texts_of_a_dataset_are_never_markup(chromium: Chromium, tmp_path: Path) -> None:
    text = "<img src=x onerror=\"document.title='run'\">"
    failure = FailedRun(number=0, overrides={SEED: text}, reason=text, message=text)
    (tmp_path / "gallery").mkdir()
    write_assets(tmp_path / "gallery")
    pieces = write_pieces(tmp_path / "gallery", [build_failure_piece([failure], [SEED])])
    (tmp_path / "index.html").write_bytes(build_page(text, [SEED], pieces=pieces))
    opened = Gallery(chromium, (tmp_path / "index.html").as_uri()).open("run=0")
    assert opened.browser.evaluate("document.title") == text
    assert text in opened.text("viewer-failure")
    assert opened.browser.evaluate("document.querySelectorAll('img[src=x]').length") == 0
