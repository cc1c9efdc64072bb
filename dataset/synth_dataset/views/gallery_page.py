"""`index.html`: the gallery page of a dataset, which opens from disk without server or network."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import jinja2

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GALLERY: Final = "index.html"
PIECES: Final = "gallery"
"""Folder of the files that the page loads."""
SCRIPTS: Final = (
    "elements.js",
    "rows.js",
    "selection.js",
    "histograms.js",
    "packed.js",
    "cards.js",
    "filters.js",
    "overlay.js",
    "viewer.js",
    "keys.js",
    "page.js",
)
"""Scripts of every page in the order in which it loads them; no modules, which a page opened from disk may not load."""
ASSETS: Final = ("page.css", *SCRIPTS)
"""Files that every page loads."""
_TEMPLATES: Final = "views/templates"


def build_page(
    title: str,
    axes: Sequence[str],
    *,
    root: str = "",
    pieces: int = 0,
    masks: Sequence[int] = (),
    thumbnails: Sequence[int] = (),
    masked_runs: int = 0,
    live: str = "",
) -> bytes:
    """Build the page as HTML; `axes` are dotted paths, `root` leads to the root of the store.

    `masks` are the first runs of the pieces of masks, for `masked_runs` runs, `thumbnails` those of the pieces with
    thumbnails of packed runs. The page of a `live` attempt, which is
    the folder of it, has no pieces: it asks its server for rows (`rows.json`).
    """
    names = shorten_names(axes)
    head = {
        "axes": [{"path": path, "name": names[path]} for path in axes],
        "root": root,
        "pieces": pieces,
        "masks": list(masks),
        "thumbnails": list(thumbnails),
        "maskedRuns": masked_runs,
        "live": live,
    }
    return _load_template().render(title=title, head=head, scripts=SCRIPTS, live=bool(live)).encode()


def write_assets(folder: Path) -> None:
    """Write what every page loads into the folder of its pieces."""
    for name in ASSETS:
        (folder / name).write_bytes(read_asset(name))


def read_asset(name: str) -> bytes:
    """Return one of ASSETS."""
    return resources.files("synth_dataset").joinpath(_TEMPLATES, name).read_bytes()


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


@cache
def _load_template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("synth_dataset", _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("gallery.html")
