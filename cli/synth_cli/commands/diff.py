"""`synth diff`: the difference of two datasets."""

from __future__ import annotations

import json
from contextlib import ExitStack

import click

from synth_api.exit_codes import ExitCode
from synth_cli.cluster.cluster_options import cluster_options, endpoint_option, output_option
from synth_cli.parameters import TEXT


@click.command(name="diff")
@click.argument("one", type=TEXT, metavar="A")
@click.argument("two", type=TEXT, metavar="B")
@click.option(
    "--name", "names", type=TEXT, multiple=True, help="Name of both datasets; given twice, that of A and that of B."
)
@endpoint_option
@cluster_options
@output_option
def command(
    one: str,
    two: str,
    names: tuple[str, ...],
    endpoint: str | None,
    namespace: str | None,
    context: str | None,
    form: str,
) -> ExitCode:
    """Show which runs dataset B has other than A, and which line of the recipe or axis value makes the difference.

    A and B are folders, s3://BUCKET/PREFIX or names of sweeps. The exit code is 0 if their runs are equal, 1 if not.

    \b
    synth diff ./dataset s3://lab/datasets
    synth diff ./dataset ./dataset --name before --name after
    """
    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_cli.local.difference_report import build_document, print_difference
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.standard_streams import print_line
    from synth_dataset.comparison.dataset_difference import compare_datasets

    if len(names) > 2:
        raise click.UsageError("--name is given at most twice, for A and for B")
    with ExitStack() as stack:
        mine, theirs = (
            source
            for word, name in zip((one, two), (names[:1], names[-1:]), strict=True)
            for source in DatasetOpener(name, endpoint, namespace, context).open(stack, word)
        )
        difference = compare_datasets(mine, theirs)
    if form == "json":
        print_line(json.dumps(build_document(mine, theirs, difference), indent=2))
    else:
        print_difference(mine, theirs, difference, open_stdout())
    return ExitCode.OK if difference.is_equal else ExitCode.DIFFERENT
