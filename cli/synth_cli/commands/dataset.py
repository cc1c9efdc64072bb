"""`synth dataset`: versions of datasets from the definition in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import output_option
from synth_cli.parameters import PATH, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_cli.local.dataset_building import BuildOrder
    from synth_dataset.versions.version_build import VersionBuild
    from synth_dataset.versions.version_document import PublishedExport, VersionDocument


@click.group(name="dataset")
def command() -> None:
    """Build versions of datasets: several sweeps, split and exported by one definition, published together."""


@command.command(name="build")
@click.argument("file", type=PATH)
@click.option("--store", type=TEXT, default="dataset", show_default=True, metavar="DIR",
              help="Folder with the sweeps' datasets, or s3://BUCKET/PREFIX.")  # fmt: skip
@click.option(
    "--out", type=TEXT, metavar="DIR", help="Folder for the version, or s3://BUCKET/PREFIX.  [default: --store]"
)
@click.option("--workers", type=int, metavar="N", help="Processes that export.  [default: one for each processor]")
@click.option("--endpoint", type=TEXT, metavar="URL", help="Address of the store of s3://.")
@output_option
def build(file: Path, store: str, out: str | None, workers: int | None, endpoint: str | None, form: str) -> None:
    """Build the version that the SynthDataset in FILE defines, as the operator does on a cluster.

    It goes to datasets/NAMESPACE/NAME/VERSION and never changes: a version that is published by the same definition is
    left alone. An interrupted build continues with the same call.

    \b
    synth dataset build spheres.yaml --store ./dataset
    """
    from synth_cli.local.dataset_building import count_processors, order_build
    from synth_cli.local.dataset_file import read_dataset_file
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.standard_streams import print_line

    if workers is not None and workers < 1:
        raise InputError("--workers", f"must be at least 1, not {workers}")
    order = order_build(read_dataset_file(file), store, out, endpoint)
    prepared = order.prepare()
    document = publish_version(order, prepared, workers or count_processors())
    if form == "json":
        print_line(json.dumps(describe_version(prepared, document), indent=2))
    else:
        print_version(prepared, document, open_stdout())


def publish_version(order: BuildOrder, prepared: VersionBuild, workers: int) -> VersionDocument:
    """Build a version with progress, unless it is published. Raises PublishedError if it is, from something else."""
    from synth_cli.local.bucket_address import check_writable
    from synth_cli.local.dataset_building import write_chunks
    from synth_cli.local.empty_splits import warn_of_empty_splits
    from synth_cli.terminal.consoles import open_stderr
    from synth_cli.terminal.progress import open_meter
    from synth_dataset.versions.published_version import check_version, find_version, remove_leftovers, write_pointer
    from synth_dataset.versions.version_build import name_fields

    store, file = prepared.store, order.file
    check_writable(store)
    document = find_version(store, file.namespace, file.name, file.spec.version)
    if document:
        check_version(document, file.spec, prepared.sources)
        open_stderr().print(f"version {document.version} was published before; its files stay as they are")
    else:
        longest = max(prepared.exports, key=lambda export: export.runs)
        warn_of_empty_splits(longest.format.context, open_stderr(), name_fields)
        with open_meter(open_stderr(), "exporting", prepared.runs, "run") as meter:
            for runs in write_chunks(order, prepared, workers):
                meter.advance(runs)
        document = prepared.publish()
    write_pointer(store, document)
    remove_leftovers(store, document)
    return document


def locate_exports(prepared: VersionBuild, document: VersionDocument) -> Iterator[tuple[PublishedExport, str, str]]:
    """Yield each export of a version with its address, and the line of Python that loads it there."""
    for build, export in zip(prepared.exports, document.exports, strict=True):
        address = prepared.store.format_uri(f"{document.folder}/{export.folder}")
        yield export, address, build.format.format_loading(address)


def describe_version(prepared: VersionBuild, document: VersionDocument) -> dict[str, Any]:
    """Return the JSON document of `-o json`."""
    return {
        "name": document.name,
        "version": document.version,
        "address": prepared.store.format_uri(document.folder),
        "root": document.root,
        "runs": document.runs,
        "splits": {name: counts.model_dump(mode="json") for name, counts in document.splits.items()},
        "exports": [
            {"format": export.format, "address": address, "loading": loading}
            for export, address, loading in locate_exports(prepared, document)
        ],
    }


def print_version(prepared: VersionBuild, document: VersionDocument, console: Any) -> None:
    """Print counts by split, the address of the version, and the line that loads each export."""
    from synth_cli.terminal.formatting import format_count
    from synth_cli.terminal.tables import build_fact_table, build_table

    console.print(f"{document.name}, version {document.version}: {format_count(document.runs, 'run')}", style="bold")
    console.print()
    table = build_table("split", "runs", "objects", right=("runs", "objects"))
    for name, counts in document.splits.items():
        table.add_row(name, f"{counts.runs:,}", f"{counts.objects:,}")
    console.print(table)
    console.print()
    address = prepared.store.format_uri(document.folder)
    console.print(build_fact_table([("version", address), ("root", document.root)]))
    for export, address, loading in locate_exports(prepared, document):
        console.print()
        console.print(f"{export.format}   {address}", soft_wrap=True, style="dim")
        console.print(loading, soft_wrap=True, markup=False, highlight=False)
