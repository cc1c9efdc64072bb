"""`README.md` and `CITATION.cff` of an export: the card of the dataset, and how to cite it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from synth_api.export_options import FORMATS_WITH_IDS, FORMATS_WITHOUT_OVERLAP
from synth_api.version import PROJECT_URL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from synth_dataset.exports.export_document import ExportDocument, SourceDocument

README: Final = "README.md"
CITATION: Final = "CITATION.cff"
RECIPES: Final = "recipes"
UNKNOWN: Final = "not chosen by the publisher"
_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|!])")


def build_card(
    document: ExportDocument, files: Mapping[str, str], pictures: Sequence[str], head: Mapping[str, Any]
) -> bytes:
    """Return the card: YAML head, then what, how it was made, counts, pictures, limits, licence and citation."""
    parts = [
        _build_head(document, head),
        f"# {_escape(document.title or document.name)}\n",
        _describe(document, pictures),
        "## Load\n\n```python\n" + document.loading + "\n```\n",
        "## Counts\n\n" + _build_counts(document),
        "## Files\n\n" + _build_table(("files", "content"), [(f"`{name}`", text) for name, text in files.items()]),
        "## Made by\n\n" + "\n".join(map(_describe_source, document.sources)),
        "## Limits\n\n" + _describe_limits(document),
        "## Licence and citation\n\n" + _describe_rights(document),
    ]
    return "\n".join(parts).encode()


def build_citation(document: ExportDocument) -> bytes:
    """Return `CITATION.cff`, version 1.2.0 of the Citation File Format."""
    authors = document.authors or (f"Authors of {document.name}",)
    entries: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "Please cite this dataset as below.",
        "type": "dataset",
        "title": document.title or document.name,
        "authors": [{"name": author} for author in authors],
        "version": document.version or document.identity[:8],
        "date-released": document.created.date().isoformat(),
        "license": document.licence or None,
        "abstract": document.description or None,
    }
    # A JSON value is a YAML value, with all characters of names escaped.
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in entries.items() if value is not None]
    return "".join(lines).encode()


def _build_head(document: ExportDocument, head: Mapping[str, Any]) -> str:
    size = next((name for most, name in _SIZES if document.runs < most), "n>1M")
    entries: dict[str, Any] = {
        "pretty_name": document.title or document.name,
        "license": document.licence.lower() if document.licence else "unknown",
        "task_categories": ["image-segmentation", "object-detection"],
        "tags": ["synthetic", "microscopy"],
        "size_categories": [size],
        **head,
    }
    return "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in entries.items()) + "---\n"


def _describe(document: ExportDocument, pictures: Sequence[str]) -> str:
    names = ", ".join(_escape(one.name) for one in document.categories) or "no particles"
    default = (
        f"Synthetic microscopy pictures of {names} with the mask of every visible particle. "
        "Pictures and labels come from one scene, so labels are exact."
    )
    images = "".join(f"![run]({path})\n" for path in pictures)
    return (_escape(document.description) if document.description else default) + "\n\n" + images


def _build_counts(document: ExportDocument) -> str:
    names = [category.name for category in document.categories]
    rows = [
        (split, f"{counts.runs}", *(f"{counts.classes.get(name, 0)}" for name in names))
        for split, counts in document.splits.items()
    ]
    return _build_table(("split", "pictures", *map(_escape, names)), rows)


def _describe_source(source: SourceDocument) -> str:
    axes = "".join(f" '{axis.path}={_format_values(axis.values)}'" for axis in source.axes)
    engine = f", engine version {source.engine_version}" if source.engine_version else ""
    recipe = f"{RECIPES}/{source.plan[:8]}.yaml"
    what = "from its recipe" if source.has_recipe else "whose first run has this recipe"
    return f"[synth-operator]({PROJECT_URL}){engine}, {what}:\n\n```sh\nsynth render {recipe}{axes}\n```\n"


def _describe_limits(document: ExportDocument) -> str:
    options = document.options
    left_out = [
        f"particles with less than {options['min_visible']:g} of their silhouette visible"
        * bool(options["min_visible"]),
        f"particles with less than {options['min_area']} px" * bool(options["min_area"]),
    ]
    lines = [
        "The pictures are simulated; scores on them say nothing about real pictures until a model was tested on those.",
        "Runs of one seed with another value of another axis are near copies. They are in one split; keep them together"
        " in any further split.",
        "COCO's AP counts 100 particles of a picture by default: raise `maxDets` where pictures have more.",
        *_describe_overlap(document),
        *(f"Left out: {text}." for text in left_out if text and options["below"] == "drop"),
    ]
    return "".join(f"- {line}\n" for line in lines)


def _describe_overlap(document: ExportDocument) -> Iterator[str]:
    """Yield how many objects share pixels with others, and what the format has of them."""
    number = sum(counts.overlapping for counts in document.splits.values())
    if not number:
        return
    shared = f"Particles shine through in some pictures: {number} of them share pixels with others"
    if document.format in FORMATS_WITHOUT_OVERLAP:
        yield f"{shared}. A pixel of the masks has the nearest one, and one that is nearest nowhere is left out."
    elif document.format in FORMATS_WITH_IDS:
        yield f"{shared}. A pixel of the ids has the nearest one; boxes and areas are those of the whole masks."
    else:
        yield f"{shared}, and so do their masks."


def _describe_rights(document: ExportDocument) -> str:
    authors = ", ".join(map(_escape, document.authors)) or UNKNOWN
    citation = f"\n\n{_escape(document.citation)}" if document.citation else ""
    licence = _escape(document.licence or UNKNOWN)
    return f"Licence: {licence}. Authors: {authors}. [CITATION.cff]({CITATION}) cites the dataset.{citation}\n"


def _format_values(values: Sequence[Any]) -> str:
    """Return values in the grammar of overrides."""
    return ",".join(json.dumps(value) if not isinstance(value, str) else value for value in values)


def _build_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _escape(text: str) -> str:
    """Return text of a document without any effect as Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
