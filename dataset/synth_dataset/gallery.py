"""`index.html`: a page on which a dataset can be looked at, from disk, with no server and no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import jinja2
import numpy as np

from synth_dataset.histogram import bars, common_edges, counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

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
    picture_sets = list(dict.fromkeys(tuple(run.pictures) for run in runs))
    names = short_names([axis.path for axis in axes])
    return _template().render(
        title=title,
        axes=[_axis(axis, names[axis.path], runs) for axis in axes],
        cards=[_card(run, axes, names, picture_sets, edges) for run in runs],
        failures=[_failure(failure, names) for failure in failures],
        hidden=max(0, (total or 0) - len(runs)),
        particles=sum(run.particles for run in runs),
        picture_sets=[[{"path": quote(path), "name": mode_name(path)} for path in paths] for paths in picture_sets],
        modes=list(dict.fromkeys(mode_name(path) for paths in picture_sets for path in paths)),
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


def _axis(axis: GalleryAxis, name: str, runs: Sequence[GalleryRun]) -> dict[str, Any]:
    shown = {_text(run.overrides.get(axis.path)) for run in runs}
    values = [_text(value) for value in axis.values]
    return {
        "path": axis.path,
        "name": name,
        "values": [(position, text) for position, text in enumerate(values) if text in shown],
    }


def _card(
    run: GalleryRun,
    axes: Sequence[GalleryAxis],
    names: Mapping[str, str],
    picture_sets: Sequence[tuple[str, ...]],
    edges: NDArray[np.float64],
) -> dict[str, Any]:
    texts = {path: _text(value) for path, value in run.overrides.items()}
    return {
        "number": run.number,
        "seed": run.seed,
        "particles": run.particles,
        "visible": run.visible,
        "folder": quote(run.folder),
        "set": picture_sets.index(tuple(run.pictures)),
        "length": max(1, len(run.pictures)),
        "place": " ".join(str(_positions(axis).get(texts.get(axis.path, ""), -1)) for axis in axes),
        "overrides": [(names.get(path, path), text) for path, text in texts.items()],
        "histogram": bars(counts(run.diameters, edges), *SMALL),
    }


def _positions(axis: GalleryAxis) -> dict[str, int]:
    return {_text(value): position for position, value in enumerate(axis.values)}


def _failure(failure: GalleryFailure, names: Mapping[str, str]) -> dict[str, Any]:
    overrides = [(names.get(path, path), _text(value)) for path, value in failure.overrides.items()]
    return {
        "number": failure.number,
        "overrides": overrides,
        "reason": failure.reason,
        "message": failure.message,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("synth_dataset"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("gallery.html")
