"""`synth stats`: statistics of a dataset, as a table, as JSON and as a page with plots."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import cluster_options, endpoint_option, output_option
from synth_cli.parameters import PATH, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pyarrow.parquet import ParquetFile
    from rich.console import Console

    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.finished_export import FinishedExport
    from synth_dataset.statistics.picture_values import PictureTable
    from synth_dataset.statistics.statistics_document import StatisticsDocument


@click.command(name="stats")
@click.argument("dataset", type=TEXT)
@click.option("--name", type=TEXT, help="Name of the dataset, if a folder holds several.")
@click.option("--by", type=TEXT, metavar="AXIS", help="Also by the values of an axis or a column of the index.")
@click.option("--sample", type=TEXT, default="100", show_default=True, metavar="N|P%",
              help="Pictures to read for grey values and noise; 0 reads none.")  # fmt: skip
@click.option("--html", type=PATH, metavar="FILE", help="Write a page with plots too.")
@endpoint_option
@output_option
@cluster_options
def command(
    dataset: str,
    name: str | None,
    by: str | None,
    sample: str,
    html: Path | None,
    endpoint: str | None,
    form: str,
    namespace: str | None,
    context: str | None,
) -> None:
    """Show particles, sizes, visibility, coverage, grey values, duplicates and cost of DATASET.

    DATASET is a folder, s3://BUCKET/PREFIX, the name of a sweep, an export, or a published version of a dataset.

    \b
    synth stats ./dataset --by number --html statistics.html
    """
    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.standard_streams import print_line

    if html is not None and (html.is_dir() or not html.parent.is_dir()):
        raise InputError("--html", f"{html} cannot be written; give the path of a file in a folder that exists")
    opener = DatasetOpener((name,) if name else (), endpoint, namespace, context)
    with ExitStack() as stack:
        source = open_argument(opener, stack, dataset)
        statistics = measure_dataset(source, by, sample)
    if html is not None:
        write_page(html, statistics)
    if form == "json":
        print_line(statistics.to_json().decode().rstrip())
    else:
        print_statistics(statistics, open_stdout())


def open_argument(opener: DatasetOpener, stack: ExitStack, word: str) -> DatasetSource | FinishedExport:
    """Open a dataset, an export, or the longest export of a version. Raises InputError, DocumentError, StoreError."""
    from synth_dataset.exports.finished_export import open_export
    from synth_dataset.verification.export_check import find_version_folder, is_export, read_version

    store = opener.open_store(word)
    if store is None or not is_export(store):
        (source,) = opener.open(stack, word)
        return source
    if opener.names:
        raise InputError("--name", f"is for folders of datasets; {word} is an export")
    if (version := read_version(store)) is not None:
        longest = max(version.exports, key=lambda export: export.runs)
        store = store.open_folder("/".join(filter(None, (find_version_folder(store, version), longest.folder))))
    return open_export(store)


def measure_dataset(source: DatasetSource | FinishedExport, by: str | None, sample: str) -> StatisticsDocument:
    """Return the statistics of a dataset, with progress on stderr. Raises InputError, DocumentError, StoreError."""
    from synth_cli.terminal.consoles import open_stderr
    from synth_cli.terminal.progress import QUIET_SECONDS, open_meter
    from synth_dataset.documents import layout
    from synth_dataset.exports.finished_export import FinishedExport
    from synth_dataset.statistics.compute_statistics import compute_statistics
    from synth_dataset.statistics.picture_values import choose_runs
    from synth_dataset.statistics.run_table import read_runs

    index = source.open_table(layout.INDEX)
    runs = read_runs(index, source.recipe, by)
    places = choose_runs(index, runs, count_sample(sample, len(runs)))
    with open_meter(open_stderr(), "reading", len(places), "picture", QUIET_SECONDS) as meter:
        pictures = _measure_pictures(source, index, places, meter.advance)
    open_particles = partial(source.open_table, layout.PARTICLES)
    rows = open_particles().metadata.num_rows
    with open_meter(open_stderr(), "counting", rows, "particle", QUIET_SECONDS) as meter:
        document = source.document if isinstance(source, FinishedExport) else source.dataset
        return compute_statistics(document.name, runs, open_particles, document.categories, pictures, meter.advance)


def _measure_pictures(
    source: DatasetSource | FinishedExport,
    index: ParquetFile,
    places: NDArray[np.int64],
    advance: Callable[[int], None],
) -> PictureTable | None:
    """Measure pictures; None of an export whose pictures are in shards or no PNG."""
    from synth_dataset.exports.finished_export import FinishedExport
    from synth_dataset.statistics.picture_values import count_threads, measure_pictures, read_picture
    from synth_dataset.statistics.run_table import read_keys

    threads = count_threads(source.store)
    if not isinstance(source, FinishedExport):
        read, keys = partial(read_picture, source.store), read_keys(index, places)
        return measure_pictures(read, keys, places, threads, advance)
    if not source.has_pictures:
        return None
    return measure_pictures(source.read_picture, source.list_pictures(index, places), places, threads, advance)


def count_sample(text: str, runs: int) -> int:
    """Return the number of pictures that `N` or `P%` means. Raises InputError."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)(%?)", text)
    if match is None or (not match[2] and "." in match[1]) or (match[2] and float(match[1]) > 100):
        raise InputError("--sample", f"'{text[:40]}' is no number of pictures; write for example 100 or 5%")
    return -(-int(runs * float(match[1])) // 100) if match[2] else int(match[1])


def write_page(path: Path, statistics: StatisticsDocument) -> None:
    """Write the page. Raises InputError for a place that cannot be written."""
    from synth_dataset.statistics.statistics_page import render_statistics

    try:
        path.write_text(render_statistics(statistics), encoding="utf-8")
    except OSError as error:
        raise InputError("--html", f"{path} cannot be written ({error.strerror}); give the path of a file") from error


def print_statistics(statistics: StatisticsDocument, console: Console) -> None:
    """Print the facts of all runs, then a table of the values of the axis."""
    from synth_cli.terminal.tables import build_fact_table, print_wide_table
    from synth_dataset.statistics.facts import MIN_MEDIAN_MAX, format_value, list_columns, list_facts

    console.print(statistics.name, style="bold")
    console.print()
    console.print(build_fact_table(list_facts(statistics)))
    console.print()
    console.print(MIN_MEDIAN_MAX, style="dim")
    if statistics.by is None:
        return
    columns = list_columns(statistics)
    headers = [statistics.by.rpartition(".")[2], *(header for header, _ in columns)]
    rows = [[format_value(group.value), *(describe(group) for _, describe in columns)] for group in statistics.groups]
    console.print()
    print_wide_table(console, headers, rows)
