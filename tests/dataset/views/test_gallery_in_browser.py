from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_dataset.documents.pictures import read_png
from synth_dataset.views.gallery_page import render_page


def test_all_runs_are_shown_at_first(page: Path, dom) -> None:
    opened = dom(page)
    assert opened.shown_runs() == list(range(6))
    assert opened.element("count") == "6 runs"
    assert not opened.has(r"<dialog[^>]* open")


def test_axes_filter(page: Path, dom) -> None:
    opened = dom(page, "axis.number=1&axis.seed=0&axis.seed=2")
    assert opened.shown_runs() == [3, 5]
    assert opened.element("count") == "2 of 6 runs"
    assert opened.has(r'value="1" aria-pressed="true">600<')


def test_a_filter_without_a_match_shows_a_message(page: Path, dom) -> None:
    opened = dom(page, "axis.seed=7")
    assert opened.shown_runs() == []
    assert opened.element("empty") == "No run matches."
    assert not opened.has(r'id="empty" hidden')


def test_a_run_opens_with_all_its_pictures(page: Path, dom) -> None:
    opened = dom(page, "run=4&picture=categorical")
    assert opened.has(r"<dialog[^>]* open")
    assert opened.element("viewer-title") == "run 4"
    assert opened.has(r'id="viewer-picture"[^>]*src="runs/4/categorical\.png"')
    for mode in ("real", "categorical", "depth_map"):
        assert opened.has(rf'aria-pressed="(true|false)"><img [^>]*>{mode}</button>')


def test_a_run_that_is_not_there_opens_nothing(page: Path, dom) -> None:
    assert not dom(page, "run=99").has(r"<dialog[^>]* open")


def test_a_page_without_runs_opens(tmp_path: Path, dom) -> None:
    path = tmp_path / "empty.html"
    path.write_text(render_page("beads", [], []))
    assert dom(path).element("empty") == "The dataset has no runs yet."


def test_the_screenshot_shows_every_mode_then_one_alone(page: Path, browser, tmp_path: Path) -> None:
    red, blue = (250, 0, 0), (0, 0, 250)
    pictures = {}
    for name, state in (("all", ""), ("one", "show=categorical"), ("viewer", "run=1&picture=depth_map")):
        browser(page, state, f"--screenshot={tmp_path / name}.png")
        pictures[name] = read_png(tmp_path / f"{name}.png")
    assert area(pictures["all"], red) > 10_000
    assert area(pictures["all"], blue) > 10_000
    assert area(pictures["one"], red) > area(pictures["all"], red)
    assert area(pictures["one"], blue) == 0
    assert area(pictures["viewer"], blue) > 300_000


def area(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    """Pixels that are nearly of a colour."""
    return int((np.abs(picture[..., :3].astype(int) - color).max(axis=-1) < 24).sum())
