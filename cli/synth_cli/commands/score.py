"""`synth score`: how good predictions are on a dataset."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import cluster_options, endpoint_option, output_option
from synth_cli.parameters import FRACTION, PATH, TEXT

if TYPE_CHECKING:
    from rich.console import Console

    from synth_dataset.scoring.predictions import Predictions
    from synth_dataset.scoring.score_document import GroupScore, ScoreDocument, SizeBinScore, SizeError
    from synth_dataset.scoring.truth import Truth


@click.command(name="score")
@click.argument("predictions", type=PATH)
@click.argument("dataset", type=TEXT)
@click.option("--name", type=TEXT, help="Name of the dataset, if a folder holds several.")
@click.option("--split", type=TEXT, metavar="SPLIT", help="Split of an export for COCO, if it has several.")
@click.option("--where", type=TEXT, metavar="FILTER", help="Only these runs of a dataset, such as 'split = test'.")
@click.option("--by", type=TEXT, metavar="AXIS", help="Also by the values of an axis.")
@click.option("--boxes", is_flag=True, help="Compare boxes instead of masks.")
@click.option("--classes", type=click.Choice(("category", "one")), default="category", show_default=True,
              help="Whether classes count; those of a folder of masks never do.")  # fmt: skip
@click.option("--min-score", type=FRACTION, default=0.0, metavar="SCORE",
              help="Least score of a detection for all but average precision.")  # fmt: skip
@click.option("--min-visible", type=FRACTION, default=0.0, metavar="FRACTION",
              help="Ignore particles of a smaller visible share.")  # fmt: skip
@click.option("--min-area", type=click.IntRange(0), default=0, metavar="PX", help="Ignore particles of a smaller mask.")
@endpoint_option
@output_option
@cluster_options
def command(predictions: Path, dataset: str, form: str, boxes: bool, min_score: float, **given: Any) -> None:
    """Score PREDICTIONS, COCO's results or a folder of instance masks, on DATASET.

    DATASET is a folder, s3://BUCKET/PREFIX, the name of a sweep, an export for COCO, one of its documents
    instances_SPLIT.json, or a published version that has such an export. Ids of images are run numbers.

    \b
    synth score results.json ./dataset --by number
    synth score ./masks ./coco --split test
    """
    from synth_cli.terminal.consoles import open_stderr, open_stdout
    from synth_cli.terminal.progress import QUIET_SECONDS, open_meter
    from synth_cli.terminal.standard_streams import print_line
    from synth_dataset.scoring.score_predictions import score_predictions

    if not predictions.exists():
        raise InputError(str(predictions), "is missing; give COCO's results as a JSON file, or a folder of masks")
    with ExitStack() as stack:
        truth = open_truth(stack, dataset, given, has_one_class=given["classes"] == "one" or predictions.is_dir())
        found = open_predictions(predictions, truth)
        with open_meter(open_stderr(), "scoring", len(truth.image_ids), "image", QUIET_SECONDS) as meter:
            score = score_predictions(
                found,
                truth,
                name=str(predictions),
                boxes=boxes or not found.has_masks,
                min_score=min_score,
                advance=meter.advance,
            )
    if form == "json":
        print_line(score.to_json().decode().rstrip())
    else:
        print_score(score, open_stdout())


def open_truth(stack: ExitStack, word: str, given: dict[str, Any], *, has_one_class: bool) -> Truth:
    """Open a dataset, or a document of an export. Raises InputError, DocumentError, StoreError."""
    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_dataset.scoring.coco_truth import CocoTruth
    from synth_dataset.scoring.dataset_truth import DatasetTruth, TruthOptions

    options = TruthOptions(given["where"], given["by"], has_one_class, given["min_visible"], given["min_area"])
    if (document := find_document(Path(word), given["split"])) is not None:
        return CocoTruth(document, options)
    names = (given["name"],) if given["name"] else ()
    (source,) = DatasetOpener(names, given["endpoint"], given["namespace"], given["context"]).open(stack, word)
    if given["split"]:
        raise InputError("--split", f"is for exports; of a dataset take --where 'split = {given['split']}'")
    return DatasetTruth(source, options)


def find_document(path: Path, split: str | None) -> Path | None:
    """Return the document of an export for COCO; None for a dataset. Raises InputError for a missing split."""
    from synth_dataset.scoring.coco_truth import find_documents

    if path.suffix == ".json" and path.is_file():
        return path
    documents = find_documents(find_coco_export(path)) if path.is_dir() else {}
    if not documents:
        return None
    known = ", ".join(documents)
    if split is None and len(documents) > 1:
        raise InputError("DATASET", f"{path} has the splits {known}; choose with --split")
    if split is not None and split not in documents:
        raise InputError("--split", f"{path} has no split '{split}', it has {known}")
    return documents[split or next(iter(documents))]


def find_coco_export(path: Path) -> Path:
    """Return the folder of the export for COCO of a published version; the path itself if it is none."""
    from synth_dataset.store.folder_store import FolderStore
    from synth_dataset.verification.export_check import find_version_folder, read_version

    store = FolderStore(path)
    version = read_version(store)
    coco = next((export.folder for export in version.exports if export.format == "coco"), None) if version else None
    return path / find_version_folder(store, version) / coco if version and coco else path


def open_predictions(path: Path, truth: Truth) -> Predictions:
    """Open COCO's results or a folder of masks. Raises InputError."""
    if path.is_dir():
        from synth_dataset.scoring.mask_predictions import MaskPredictions

        return MaskPredictions(path, truth)
    from synth_dataset.scoring.coco_predictions import CocoPredictions

    return CocoPredictions(path, truth)


def print_score(score: ScoreDocument, console: Console) -> None:
    """Print the score of all images, then tables by axis value and by size."""
    from synth_cli.terminal.tables import build_fact_table, print_wide_table

    console.print(f"{score.predictions} on {score.dataset}", style="bold")
    console.print()
    console.print(build_fact_table(list_facts(score)))
    if score.by is not None:
        console.print()
        headers = (score.by.rpartition(".")[2], *GROUP_HEADERS)
        print_wide_table(console, headers, map(format_group, score.groups))
    if len(score.sizes) > 1:
        console.print()
        print_wide_table(console, ("diameter, px", *SIZE_HEADERS), map(format_size_bin, score.sizes))


def list_facts(score: ScoreDocument) -> list[tuple[str, str]]:
    """Return names and texts of the score of all images."""
    whole = score.all
    kept = f" with a score of at least {score.min_score:g}" if score.min_score else ""
    precision = f"{_show(whole.ap)}, AP50 {_show(whole.ap50)}, AP75 {_show(whole.ap75)}"
    counted = f"of {score.overlap}, maxDets {score.max_detections}"
    return [
        ("images", f"{whole.images:,}"),
        ("particles", f"{whole.particles:,}, {whole.predicted:,} predicted{kept}"),
        ("AP", f"{precision} ({counted})"),
        ("PQ", f"{_show(whole.pq)} = SQ {_show(whole.sq)} x RQ {_show(whole.rq)}"
               f"{', each the mean over the classes' if len(score.classes) > 1 else ''}"),
        ("count error", f"{_show_sign(whole.count_bias)} a picture, {_show_plain(whole.count_error)} without sign, "
                        f"{_show_percent(whole.count_relative)} of all"),
        ("size error", _describe_size(whole.size, score.length_unit)),
    ]  # fmt: skip


GROUP_HEADERS: Final = (
    "images", "particles", "AP", "AP50", "AP75", "PQ", "SQ", "RQ", "count error", "size error, px"
)  # fmt: skip
SIZE_HEADERS: Final = ("particles", "recall", "AP", "AP50", "AP75", "size error, px")


def format_group(group: GroupScore) -> list[str]:
    """Return a row of the table of axis values."""
    from synth_dataset.statistics.facts import format_value

    scores = (group.ap, group.ap50, group.ap75, group.pq, group.sq, group.rq)
    return [
        format_value(group.value),
        f"{group.images:,}",
        f"{group.particles:,}",
        *map(_show, scores),
        _show_percent(group.count_relative),
        _show_size(group.size),
    ]


def format_size_bin(size: SizeBinScore) -> list[str]:
    """Return a row of the table of sizes."""
    ends = f"from {size.low:.3g}" if size.high is None else f"{size.low:.3g} to {size.high:.3g}"
    return [
        ends,
        f"{size.particles:,}",
        *map(_show, (size.recall, size.ap, size.ap50, size.ap75)),
        _show_size(size.size),
    ]


def _describe_size(size: SizeError, unit: str) -> str:
    if not size.matched:
        return "–, no particle is matched"
    lengths = "" if size.bias_length is None else (
        f", {_show_sign(size.bias_length)} ± {_show_plain(size.deviation_length)} {unit}"
    )  # fmt: skip
    return f"{_show_size(size)} px{lengths}, of {size.matched:,} matched diameters"


def _show(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _show_plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _show_sign(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3g}" if value else "0"


def _show_percent(share: float | None) -> str:
    return "–" if share is None else f"{_show_sign(100 * share)} %"


def _show_size(size: SizeError) -> str:
    return f"{_show_sign(size.bias)} ± {_show_plain(size.deviation)}" if size.matched else "–"
