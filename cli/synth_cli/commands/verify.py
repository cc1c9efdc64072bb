"""`synth verify`: a dataset or an export compared with what its documents say of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from synth_cli.cluster.cluster_options import cluster_options, endpoint_option, names_option, output_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from synth_api.exit_codes import ExitCode


@click.command(name="verify")
@click.argument("dataset", type=TEXT, metavar="DATASET")
@names_option
@click.option("--quick", is_flag=True, help="Only look whether every file is there with its size.")
@click.option("--sample", type=TEXT, metavar="SHARE", help="Only a share of the runs, such as 1% or 0.05.")
@click.option("--deep", is_flag=True, help="Also compare masks, annotations, tables and counts with each other.")
@click.option("--rerender", type=click.IntRange(min=1), metavar="N", help="Render N random runs again.")
@click.option("--repair", is_flag=True, help="Render what is missing or damaged; write the documents again.")
@endpoint_option
@cluster_options
@output_option
@click.option("--engine", type=TEXT, default="synth_renderer.engine:render", hidden=True)
def command(
    dataset: str,
    names: tuple[str, ...],
    quick: bool,
    sample: str | None,
    deep: bool,
    rerender: int | None,
    repair: bool,
    endpoint: str | None,
    namespace: str | None,
    context: str | None,
    form: str,
    engine: str,
) -> ExitCode:
    """Read every file of DATASET and compare it with its sha256; print a sentence for each fault.

    DATASET is a folder, s3://BUCKET/PREFIX or the name of a sweep, or a folder or bucket that synth export wrote. The
    exit code is 1 if there is a fault.

    \b
    synth verify ./dataset
    synth verify s3://lab/datasets --name spheres --sample 1% --deep
    """
    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_cli.cluster.verification import verify_word
    from synth_cli.local.verification_options import build_options

    options = build_options(quick=quick, sample=sample, deep=deep, rerender=rerender, repair=repair, engine=engine)
    with ExitStack() as stack:
        return verify_word(stack, dataset, DatasetOpener(names, endpoint, namespace, context), options, form)
