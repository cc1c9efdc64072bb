"""`index.html`: a page on which a dataset can be looked at, from disk, with no server and no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import jinja2
import numpy as np

from synth_dataset.views.histogram import bars, common_edges, counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SEED: Final = "initial_runtime_state.seed"
CHOICES: Final = 12
"""An axis with more values is filtered by a list instead of buttons."""
SMALL: Final = (144, 30)
"""Width and height of a run's histogram, px."""
LARGE: Final = (600, 96)
"""The dataset's."""


@dataclass(frozen=True)
class GalleryAxis:
    """An axis of the sweep: dotted path and values in order."""

    path: str
    values: Sequence[Any]


@dataclass(frozen=True)
class GalleryRun:
    """A run as the page shows it."""

    number: int
    overrides: Mapping[str, Any]
    """Values by axis path."""
    seed: int
    particles: int
    visible: int
    folder: str
    """The run's folder relative to the page; its `thumb.webp` lies in it."""
    pictures: Sequence[str]
    """Paths in that folder of the pictures in `thumb.webp`, in its order."""
    diameters: NDArray[np.float64]
    """Particles' diameters in scene units, (N,)."""


@dataclass(frozen=True)
class GalleryFailure:
    """A run that failed: why, in one CamelCase word and one sentence."""

    number: int
    overrides: Mapping[str, Any]
    reason: str
    message: str


def gallery_page(
    title: str,
    axes: Sequence[GalleryAxis],
    runs: Sequence[GalleryRun],
    failures: Sequence[GalleryFailure] = (),
    total: int | None = None,
) -> str:
    """The page as HTML, about 1 kB per run. `total`: runs that the dataset has, when it has more than are shown."""
    edges = common_edges([run.diameters for run in runs])
    everything = sum((counts(run.diameters, edges) for run in runs), np.zeros(len(edges) - 1, dtype=np.int64))
    sets = list(dict.fromkeys(tuple(run.pictures) for run in runs))
    names = short_names([axis.path for axis in axes])
    places = {axis.path: {_text(value): place for place, value in enumerate(axis.values)} for axis in axes}
    return _template().render(
        title=title,
        axes=[_axis(column, path, names[path], places[path], runs) for column, path in enumerate(places)],
        cards=[_card(run, names, places, edges) | {"set": sets.index(tuple(run.pictures))} for run in runs],
        failures=[{"failure": failure, "overrides": _overrides(failure.overrides, names)} for failure in failures],
        hidden=max(0, (total or 0) - len(runs)),
        particles=sum(run.particles for run in runs),
        picture_sets=[[{"path": quote(path), "name": mode_name(path)} for path in paths] for paths in sets],
        modes=list(dict.fromkeys(mode_name(path) for paths in sets for path in paths)),
        histogram={"d": bars(everything, *LARGE), "low": f"{edges[0]:.3g}", "high": f"{edges[-1]:.3g}"},
        small=SMALL,
        large=LARGE,
        choices=CHOICES,
    )


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The shortest endings of dotted paths that tell them apart and do not begin with a list index."""
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


def mode_name(path: str) -> str:
    """What the page calls a picture: its path without the extension."""
    return path.rpartition(".")[0] or path


def _axis(column: int, path: str, name: str, places: Mapping[str, int], runs: Sequence[GalleryRun]) -> dict[str, Any]:
    """An axis and those of its values that a run of the page has."""
    shown = {_text(run.overrides[path]) for run in runs if path in run.overrides}
    values = [(place, text) for text, place in places.items() if text in shown]
    return {"column": column, "path": path, "name": name, "values": values}


def _card(
    run: GalleryRun, names: Mapping[str, str], places: Mapping[str, Mapping[str, int]], edges: NDArray[np.float64]
) -> dict[str, Any]:
    texts = {path: _text(value) for path, value in run.overrides.items()}
    return {
        "run": run,
        "folder": quote(run.folder),
        "first": quote(run.pictures[0]) if run.pictures else "",
        "length": max(1, len(run.pictures)),
        "place": " ".join(str(known.get(texts.get(path, ""), -1)) for path, known in places.items()),
        "overrides": _overrides(run.overrides, names),
        "names_seed": SEED in run.overrides,
        "histogram": bars(counts(run.diameters, edges), *SMALL),
    }


def _overrides(overrides: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(names.get(path, path), _text(value)) for path, value in overrides.items()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("synth_dataset", "views/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("gallery.html")
