"""Statistics of a dataset from its tables: counts, sizes, visibility, coverage, duplicates, by axis value."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_api.errors import InputError
from synth_dataset.documents.attempt_document import Category
from synth_dataset.documents.document import DocumentError
from synth_dataset.statistics.compute_statistics import compute_statistics
from synth_dataset.statistics.facts import list_facts
from synth_dataset.statistics.picture_values import PictureTable
from synth_dataset.statistics.run_table import MAX_GROUPS, read_runs, sort_key
from synth_dataset.statistics.statistics_page import render_statistics

NUMBER = "blueprints.particles.Bead.number"
SCALE = "blueprints.measurement_techniques.SEM.features.nanometres_per_unit"
CATEGORIES = (Category(id=1, name="ball", blueprints=("Bead", "Pearl")), Category(id=2, name="rod"))
PARTICLES = [
    # run, blueprint, visible_px, amodal_px, equivalent_diameter, touches_border
    (0, "Bead", 100, 100, 11.0, False),
    (0, "Pearl", 30, 60, 9.0, False),
    (2, "Bead", 400, 400, 22.0, False),
    (2, "Bead", 50, 50, 8.0, True),
    (2, "rod", 0, 80, 10.0, False),
    (2, "rod", 0, 0, None, False),
]


def open_table(columns: dict[str, Any]) -> pq.ParquetFile:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return pq.ParquetFile(stream)


def build_index(**more: Any) -> dict[str, Any]:
    """Four runs of 20 x 50 px: two numbers, the second run failed."""
    return {
        "run": [0, 2, 3],
        "key": [f"{run:064x}" for run in (5, 3, 9)],
        NUMBER: [2, 4, 2],
        "particles": [2, 4, 0],
        "visible": [2, 2, 0],
        "seconds": [1.0, 2.0, 6.0],
        "width": [20] * 3,
        "height": [50] * 3,
        "pixel_size": [0.1] * 3,
        "label_digest": ["a" * 64, "b" * 64, "a" * 64],
        **more,
    }


def build_particles() -> dict[str, Any]:
    run, blueprint, visible, amodal, diameter, border = map(list, zip(*PARTICLES, strict=True))
    fractions = [None if not whole else seen / whole for seen, whole in zip(visible, amodal, strict=True)]
    return {
        "run": run, "blueprint": blueprint, "visible_px": visible, "amodal_px": amodal,
        "equivalent_diameter": diameter, "touches_border": border, "visible_fraction": fractions,
    }  # fmt: skip


def describe(by: str | None = None, recipe: dict[str, Any] | None = None, **columns: Any) -> Any:
    runs = read_runs(open_table(build_index(**columns)), recipe, by)
    pictures = PictureTable(np.array([1]), np.array([90.0]), np.array([20.0]), np.array([3.0]))
    return compute_statistics("beads", runs, lambda: open_table(build_particles()), CATEGORIES, pictures)


def test_counts_coverage_and_cost() -> None:
    whole = describe().all
    assert (whole.runs, whole.particles, whole.visible, whole.max_detections) == (3, 6, 4, 2)
    assert (whole.per_picture.min, whole.per_picture.median, whole.per_picture.max) == (0, 2, 2)
    assert (whole.area_fraction.min, whole.area_fraction.median, whole.area_fraction.max) == (0, 0.13, 0.45)
    assert (whole.seconds.median, whole.total_seconds) == (2, 9)
    assert whole.classes == {"ball": 4, "rod": 0}


def test_each_run_has_the_size_of_its_own_picture_and_of_its_pixel() -> None:
    whole = describe(width=[20, 40, 20], pixel_size=[0.1, 0.2, 0.1]).all
    assert (whole.area_fraction.min, whole.area_fraction.median, whole.area_fraction.max) == (0, 0.13, 0.225)
    pixels, units = whole.sizes
    assert (pixels.min, pixels.max) == (9, 22)
    assert (units.min, units.max) == pytest.approx((0.9, 4.4))


def test_a_pixel_at_which_particles_shine_through_counts_once_in_the_area_fraction() -> None:
    """Run 2 has a second particle behind the first; run 0 has no such column and is read with its visible pixels."""
    particles = build_particles() | {"nearest_px": [None, None, 400, 20, 0, 0]}
    runs = read_runs(open_table(build_index()), None, None)
    pictures = PictureTable(np.array([1]), np.array([90.0]), np.array([20.0]), np.array([3.0]))
    whole = compute_statistics("beads", runs, lambda: open_table(particles), CATEGORIES, pictures).all
    assert (whole.area_fraction.min, whole.area_fraction.median, whole.area_fraction.max) == (0, 0.13, 0.42)
    assert whole.visible == 4


def test_visibility_counts_each_particle_once() -> None:
    seen = describe().all.visibility
    assert (seen.whole, seen.cut, seen.hidden, seen.outside) == (3, 1, 1, 1)
    assert seen.mean == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert sum(seen.histogram.counts) == 4


def test_sizes_leave_out_what_the_border_cuts_or_others_hide() -> None:
    pixels, units = describe().all.sizes
    assert (pixels.unit, pixels.count, pixels.min, pixels.max) == ("px", 3, 9, 22)
    assert (units.unit, units.mean) == ("scene units", pytest.approx(pixels.mean / 10))
    assert pixels.number_weighted.d50 == pytest.approx(11, rel=0.004)
    assert pixels.area_weighted.d50 == pytest.approx(22, rel=0.004)


@pytest.mark.parametrize("drawn", [False, True])
def test_sizes_are_in_nanometres_where_the_recipe_has_one_scale(drawn: bool) -> None:
    recipe: dict[str, Any] = {
        "blueprints": {"measurement_techniques": {"SEM": {"features": {"nanometres_per_unit": 20}}}}
    }
    if drawn:
        recipe["process_conditions"] = {"feature_variabilities": {"Scale": {"feature_name": "nanometres_per_unit"}}}
    lengths = describe(recipe=recipe).all.sizes[1]
    assert (lengths.unit, lengths.max) == (("scene units", pytest.approx(2.2)) if drawn else ("nm", pytest.approx(44)))


def test_an_axis_may_set_the_scale() -> None:
    assert describe(**{SCALE: [10, 100, 10]}).all.sizes[1].max == pytest.approx(220)
    assert describe(**{SCALE: [10, 0, 10]}).all.sizes[1].unit == "scene units"


def test_each_value_of_an_axis_has_its_own_statistics() -> None:
    statistics = describe(by="number")
    assert (statistics.by, [group.value for group in statistics.groups]) == (NUMBER, [2, 4])
    few, many = statistics.groups
    assert (few.runs, few.visible, few.sizes[0].count, few.pictures) == (2, 2, 2, None)
    assert (many.runs, many.visible, many.sizes[0].count, many.pictures.sampled) == (1, 2, 1, 1)
    assert few.classes == {"ball": 2, "rod": 0}


def test_values_are_in_order_and_runs_without_the_axis_are_last() -> None:
    assert [group.value for group in describe(by="kind", kind=["b", None, "a"]).groups] == ["a", "b", None]


def test_runs_with_equal_labels_are_found() -> None:
    statistics = describe()
    assert (statistics.duplicates.runs, statistics.duplicates.examples) == (1, ((0, 3),))
    facts = dict(list_facts(statistics))
    assert facts["duplicates"] == "1 run has the labels of an earlier one, such as run 3 those of run 0"
    assert facts["grey mean"] == "90 of 255, in 1 of 3 pictures, the first by run key"


def test_a_dataset_without_runs_has_statistics_and_a_page() -> None:
    empty = {name: pa.array([], pa.array(values).type) for name, values in build_index().items()}
    particles = {name: pa.array([], pa.array(values).type) for name, values in build_particles().items()}
    runs = read_runs(open_table(empty), by="number")
    statistics = compute_statistics("none", runs, lambda: open_table(particles), CATEGORIES)
    assert (statistics.all.runs, statistics.all.per_picture, statistics.all.sizes) == (0, None, ())
    assert "no particle is visible" in render_statistics(statistics)


def test_the_page_fetches_nothing_and_shows_names_as_text() -> None:
    statistics = describe(by="kind", kind=["<b>x</b>", "y", "z"])
    page = render_statistics(statistics, "index.html")
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page
    assert "http" not in page.replace("http-equiv", "")
    assert '<a href="index.html">gallery</a>' in page


def test_an_unknown_axis_and_one_of_many_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"--by: there is no axis or column 'numbr'; did you mean 'number'\?"):
        describe(by="numbr")
    many = {name: values * 100 for name, values in build_index().items()} | {"draw": list(range(300))}
    with pytest.raises(InputError, match=f"--by: 'draw' has more than {MAX_GROUPS} values; take an axis with fewer"):
        read_runs(open_table(many), by="draw")


def test_an_index_of_an_earlier_release_has_a_remedy() -> None:
    old = build_index()
    del old["width"]
    with pytest.raises(DocumentError, match=r"has no width: an earlier release .* synth gallery writes the index"):
        read_runs(open_table(old))


def test_columns_that_the_runs_of_an_earlier_release_lack_count_nothing() -> None:
    rows = len(PARTICLES)
    kinds = {name: pa.array(values).type for name, values in build_particles().items()}
    empty = {name: pa.nulls(rows, kind) for name, kind in kinds.items()} | {"run": build_particles()["run"]}
    statistics = compute_statistics("old", read_runs(open_table(build_index())), lambda: open_table(empty), CATEGORIES)
    assert (statistics.all.runs, statistics.all.sizes, statistics.all.visibility.outside) == (3, (), rows)
    assert statistics.all.area_fraction.max == 0


def test_values_of_any_kind_have_an_order() -> None:
    values = [None, {"a": 1}, ["x", 2], [2, "x"], [2, 1], "b", "a", True, 2.5, 0]
    assert sorted(values, key=sort_key) == [0, True, 2.5, "a", "b", [2, 1], [2, "x"], ["x", 2], {"a": 1}, None]


def test_agglomerates_are_no_class_of_particles() -> None:
    categories = (*CATEGORIES, Category(id=9, name="agglomerate", supercategory="agglomerate", agglomerates=True))
    statistics = compute_statistics(
        "beads", read_runs(open_table(build_index())), lambda: open_table(build_particles()), categories
    )
    assert list(statistics.all.classes) == [category.name for category in CATEGORIES]
