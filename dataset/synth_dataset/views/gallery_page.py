"""`index.html`: the gallery page of a dataset, which opens from disk without server or network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import jinja2
import numpy as np

from synth_dataset.views.histogram import compute_edges, count_values, draw_bars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SEED: Final = "initial_runtime_state.seed"
MAX_BUTTONS: Final = 12
"""An axis with more values has a list instead of buttons as filter."""
RUN_HISTOGRAM_SIZE: Final = (144, 30)
"""Width and height of the histogram of a run, px."""
DATASET_HISTOGRAM_SIZE: Final = (600, 96)
"""Width and height of the histogram of the dataset, px."""


@dataclass(frozen=True)
class GalleryAxis:
    """Axis of a sweep: dotted path and values in order."""

    path: str
    values: Sequence[Any]


@dataclass(frozen=True)
class GalleryRun:
    """Run on the page, with its link, pictures and particle diameters."""

    number: int
    overrides: Mapping[str, Any]
    """Values by axis path."""
    seed: int
    particles: int
    visible: int
    folder: str
    """Folder of the run relative to the page; it has `thumb.webp`."""
    pictures: Sequence[str]
    """Paths of pictures in that folder, in the order of `thumb.webp`."""
    diameters: NDArray[np.float64]
    """Diameters of particles in scene units, (N,)."""


@dataclass(frozen=True)
class GalleryFailure:
    """Failed run: CamelCase reason, message of one sentence."""

    number: int
    overrides: Mapping[str, Any]
    reason: str
    message: str


def render_page(
    title: str,
    axes: Sequence[GalleryAxis],
    runs: Sequence[GalleryRun],
    failures: Sequence[GalleryFailure] = (),
    total: int | None = None,
) -> str:
    """Render the page as HTML, about 1 kB per run; `total` is the number of runs if the page does not show all."""
    edges = compute_edges([run.diameters for run in runs])
    all_counts = sum((count_values(run.diameters, edges) for run in runs), np.zeros(len(edges) - 1, dtype=np.int64))
    sets = list(dict.fromkeys(tuple(run.pictures) for run in runs))
    names = shorten_names([axis.path for axis in axes])
    places = {axis.path: _find_places(axis, runs) for axis in axes}
    return _load_template().render(
        title=title,
        axes=[_build_axis(column, path, names[path], places[path]) for column, path in enumerate(places)],
        cards=[_build_card(run, names, places, edges) | {"set": sets.index(tuple(run.pictures))} for run in runs],
        failures=[
            {"failure": failure, "overrides": _format_overrides(failure.overrides, names)} for failure in failures
        ],
        hidden=max(0, (total or 0) - len(runs)),
        particles=sum(run.particles for run in runs),
        picture_sets=[[{"path": quote(path), "name": remove_extension(path)} for path in paths] for paths in sets],
        modes=list(dict.fromkeys(remove_extension(path) for paths in sets for path in paths)),
        histogram={
            "d": draw_bars(all_counts, *DATASET_HISTOGRAM_SIZE),
            "low": f"{edges[0]:.3g}",
            "high": f"{edges[-1]:.3g}",
        },
        small=RUN_HISTOGRAM_SIZE,
        large=DATASET_HISTOGRAM_SIZE,
        choices=MAX_BUTTONS,
    )


def shorten_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the shortest unambiguous endings of dotted paths that do not begin with a list index."""
    endings = {path: [".".join(path.split(".")[-n:]) for n in range(1, path.count(".") + 2)] for path in paths}
    return {
        path: next(
            (
                ending
                for ending in endings[path]
                if not ending.split(".")[0].isdigit() and sum(ending in others for others in endings.values()) == 1
            ),
            path,
        )
        for path in paths
    }


def remove_extension(path: str) -> str:
    """Return the path of a picture without its extension, its name on the page."""
    return path.rpartition(".")[0] or path


def _find_places(axis: GalleryAxis, runs: Sequence[GalleryRun]) -> dict[str, int]:
    """Return the texts of the values that runs on the page have, and their places on the axis, in its order."""
    shown = {_format_value(run.overrides[axis.path]) for run in runs if axis.path in run.overrides}
    texts = ((_format_value(value), place) for place, value in enumerate(axis.values))
    return {text: place for text, place in texts if text in shown}


def _build_axis(column: int, path: str, name: str, places: Mapping[str, int]) -> dict[str, Any]:
    """Return an axis for the template."""
    return {"column": column, "path": path, "name": name, "values": [(place, text) for text, place in places.items()]}


def _build_card(
    run: GalleryRun, names: Mapping[str, str], places: Mapping[str, Mapping[str, int]], edges: NDArray[np.float64]
) -> dict[str, Any]:
    texts = {path: _format_value(value) for path, value in run.overrides.items()}
    return {
        "run": run,
        "folder": quote(run.folder),
        "first": quote(run.pictures[0]) if run.pictures else "",
        "length": max(1, len(run.pictures)),
        "place": " ".join(str(known.get(texts.get(path, ""), -1)) for path, known in places.items()),
        "overrides": _format_overrides(run.overrides, names),
        "names_seed": SEED in run.overrides,
        "histogram": draw_bars(count_values(run.diameters, edges), *RUN_HISTOGRAM_SIZE),
    }


def _format_overrides(overrides: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(names.get(path, path), _format_value(value)) for path, value in overrides.items()]


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@cache
def _load_template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("synth_dataset", "views/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("gallery.html")
