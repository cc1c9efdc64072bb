"""`synth export`: datasets in the layout that a trainer reads."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, get_args

import click

from synth_api.export_options import FormatName
from synth_cli.cluster.cluster_options import cluster_options, endpoint_option, names_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from synth_dataset.exports.export import Export


@click.command(name="export")
@click.argument("datasets", type=TEXT, metavar="DATASET…", nargs=-1, required=True)
@click.option(
    "--format", "format_", type=click.Choice(get_args(FormatName)), required=True, help="Layout of the export."
)
@click.option("--out", type=TEXT, required=True, metavar="DIR", help="Empty folder, or s3://BUCKET/PREFIX.")
@names_option
@click.option("--split", type=TEXT, metavar="NAME=SHARE,…", help="Shares by seed.  [default: train=1]")
@click.option("--salt", type=TEXT, metavar="TEXT", help="Another text gives another split.")
@click.option("--group", type=TEXT, metavar="AXIS", help="Split by the value of an axis instead of the seed.")
@click.option("--split-by", type=TEXT, multiple=True, metavar="AXIS=VALUES:SPLIT", help="Runs that go to one split.")
@click.option("--where", type=TEXT, metavar="FILTER", help="Only these runs, such as 'number <= 300 and visible > 0'.")
@click.option("--limit", type=int, metavar="N", help="Only the first N of them.")
@click.option("--classes", type=TEXT, default="category", show_default=True, metavar="blueprint|category|one|FILE",
              help="What a class is; FILE maps names to classes.")  # fmt: skip
@click.option("--masks", type=click.Choice(("polygon", "rle")), default="polygon", show_default=True)
@click.option("--amodal", is_flag=True, help="Masks with the hidden parts.")
@click.option("--boxes", is_flag=True, help="Boxes instead of masks, for yolo.")
@click.option("--min-visible", type=float, default=0.0, metavar="FRACTION", help="Least visible share of a particle.")
@click.option("--min-area", type=int, default=0, metavar="PX", help="Least area of a mask.")
@click.option("--below", type=click.Choice(("drop", "ignore")), default="drop", show_default=True,
              help="What becomes of particles below these.")  # fmt: skip
@click.option("--with", "with_", type=TEXT, metavar="depth,normals,…", help="Other pictures of each run.")
@click.option("--layout", type=click.Choice(("cellpose", "stardist")), default="cellpose", show_default=True,
              help="Layout of pairs.")  # fmt: skip
@click.option("--shard-size", type=TEXT, metavar="SIZE", help="Size of a shard.  [default: 256Mi]")
@click.option("--link", type=click.Choice(("auto", "hard", "copy")), default="auto", show_default=True,
              help="Hard links to pictures where possible, always, or never.")  # fmt: skip
@endpoint_option
@cluster_options
def command(
    datasets: tuple[str, ...],
    out: str,
    names: tuple[str, ...],
    endpoint: str | None,
    namespace: str | None,
    context: str | None,
    **given: Any,
) -> None:
    """Write each DATASET, or several as one, in a layout that trainers read; print the line that loads it.

    DATASET is a folder, s3://BUCKET/PREFIX or the name of a sweep. An interrupted export continues with the same call.

    \b
    synth export ./dataset --format coco --split train=0.8,val=0.1,test=0.1 --out ./coco
    """
    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_cli.local.bucket_address import check_writable, open_place
    from synth_cli.local.export_options import build_options
    from synth_cli.terminal.standard_streams import print_line
    from synth_dataset.exports.export import prepare_export
    from synth_dataset.exports.target import Target

    options = build_options(given)
    opener = DatasetOpener(names, endpoint, namespace, context)
    with ExitStack() as stack:
        sources = [source for word in datasets for source in opener.open(stack, word)]
        place = open_place(out, endpoint, "--out")
        export = prepare_export(sources, options, Target(place, options.link))
        check_writable(place)
        print_line(_write(export))


def _write(export: Export) -> str:
    """Write an export with progress; return the line that loads it."""
    from synth_cli.local.empty_splits import warn_of_empty_splits
    from synth_cli.terminal.consoles import open_stderr
    from synth_cli.terminal.progress import open_meter

    warn_of_empty_splits(export.format.context, open_stderr())
    with open_meter(open_stderr(), "exporting", export.runs, "run") as meter:
        export.write(meter.advance)
    return export.loading
