from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from synth_dataset.views.gallery_page import GalleryAxis, GalleryFailure, render_page, shorten_names
from synth_dataset.views.histogram import BINS, compute_edges, count_values, draw_bars

SCRIPT = "<script>alert(1)</script>"


class Attributes(HTMLParser):
    """Tags and the values of all attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.values: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [(name, value or "") for name, value in attributes]


def test_the_page_loads_no_external_resources(axes, make_run) -> None:
    page = render_page("beads", axes, [make_run(0)])
    links = [value for name, value in Attributes(page).values if name in ("src", "href", "srcset", "action")]
    assert links
    assert not [link for link in links if ":" in link or link.startswith("/")]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("count", [0, 1, 180])
def test_every_run_has_a_card(axes, make_run, count: int) -> None:
    page = render_page("beads", axes, [make_run(number) for number in range(count)])
    assert [int(number) for number in re.findall(r'id="r(\d+)"', page)] == list(range(count))


def test_two_thousand_runs_stay_below_five_megabytes(make_run) -> None:
    seeds = GalleryAxis("initial_runtime_state.seed", range(2000))
    link = f"../../../../../runs/ab/{'0' * 64}/12345678"
    runs = [replace(make_run(n % 6, link), number=n, overrides={seeds.path: n}) for n in range(2000)]
    page = render_page("beads", [seeds], runs, total=12_000)
    assert len(page.encode()) < 5_000_000
    assert "the first 2000 runs; 10,000 more" in page
    assert page.count("<option") == 2001


def test_names_are_escaped(make_run) -> None:
    axis = GalleryAxis(f"a.{SCRIPT}", (SCRIPT, '"><img src=x onerror=alert(1)>'))
    runs = [
        replace(make_run(0), overrides={axis.path: axis.values[0]}, pictures=(f"{SCRIPT}real.png", "a'b#c%.png")),
        replace(make_run(1), overrides={axis.path: axis.values[1]}, folder='x" onload="alert(1)'),
    ]
    failures = [GalleryFailure(2, {axis.path: SCRIPT}, SCRIPT, SCRIPT)]
    page = render_page(SCRIPT, [axis], runs, failures)
    plain = Attributes(render_page("beads", [GalleryAxis("a.b", (0, 1))], runs[:0], []))
    assert SCRIPT not in page
    assert Attributes(page).tags.count("script") == plain.tags.count("script") == 2
    assert not [name for name, _ in Attributes(page).values if name.startswith("on")]


def test_a_failed_run_is_listed_with_its_reason(axes, make_run) -> None:
    failure = GalleryFailure(4, {"initial_runtime_state.seed": 9}, "WorkerDied", "signal 9, three times")
    page = render_page("beads", axes, [make_run(0)], [failure])
    assert "1 failed" in page
    assert re.search(r"<td>4</td>.*seed.*9.*<td>WorkerDied</td><td>signal 9, three times</td>", page)


def test_an_axis_offers_the_values_that_runs_have(axes, make_run) -> None:
    page = render_page("beads", axes, [make_run(0), make_run(1)])
    assert re.findall(r'<button type="button" value="(\d+)"[^>]*>([^<]*)<', page) == [("0", "0"), ("1", "1")]


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


def test_histograms_of_all_runs_have_one_scale_and_lose_no_particle() -> None:
    samples = [np.array([4.0, 5.0]), np.array([6.0]), np.array([])]
    edges = compute_edges(samples)
    assert (edges[0], edges[-1]) == (4.0, 6.0)
    assert [int(count_values(sample, edges).sum()) for sample in samples] == [2, 1, 0]


@pytest.mark.parametrize("size", [0.0, 3e-9, 5.0, 1e12])
def test_particles_of_one_size_stand_in_the_middle(size: float) -> None:
    edges = compute_edges([np.full(7, size)])
    assert count_values(np.full(7, size), edges)[BINS // 2 - 1 : BINS // 2 + 1].sum() == 7


def test_the_tallest_bar_is_as_high_as_the_picture() -> None:
    assert draw_bars(np.array([2, 0, 1]), 30, 10) == "M0 10v-10h9V10zM20 10v-5h9V10z"
    assert draw_bars(np.zeros(3, dtype=np.int64), 30, 10) == ""
