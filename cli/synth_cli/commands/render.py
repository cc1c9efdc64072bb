"""`synth render`: render the missing runs of a sweep on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from synth_cli.parameters import PACKAGINGS, PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

DEVICES = ["auto", "gpu", "cpu", "optix", "cuda", "hip", "oneapi"]


@click.command(name="render")
@click.argument("recipe", type=PATH)
@click.argument("arguments", nargs=-1, type=TEXT)
@click.option("--out", type=PATH, default="dataset", show_default=True, help="Dataset folder.")
@click.option("--name", type=TEXT, help="Name of the dataset.  [default: stem of RECIPE]")
@click.option("--add", is_flag=True, help="Add the runs to those of the dataset.")
@click.option("--replace", is_flag=True, help="Remove other runs from the dataset.")
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Number of worker processes.  [default: half the processors]"
)
@click.option("--only", type=TEXT, metavar="NUMBERS", help="Render only these runs, for example 0-9,17.")
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    help="auto: the best available; gpu: any GPU, never the CPU.",
)
@click.option(
    "--packaging",
    type=click.Choice(PACKAGINGS),
    default="files",
    show_default=True,
    help="shards: pack the runs of the sweep into tar files of about 256 MB.",
)
@click.option(
    "--startup-seconds",
    type=click.FloatRange(min=1),
    default=1200,
    show_default=True,
    help="Limit for a GPU to load Cycles kernels, or for its driver to compile them.",
)
@click.option("--engine", type=TEXT, default="synth_renderer.engine:render", hidden=True)
def command(
    recipe: Path,
    arguments: tuple[str, ...],
    out: Path,
    name: str | None,
    add: bool,
    replace: bool,
    workers: int | None,
    only: str | None,
    device: str,
    packaging: str,
    startup_seconds: float,
    engine: str,
) -> int:
    """Render RECIPE with ARGUMENTS (as in `synth plan`) into a dataset folder.

    Existing runs are not rendered again: the same call continues after an interruption, and a call with one more seed
    renders only new runs. Ctrl-C drops the runs in flight and commits the others. A call that lacks runs of the
    dataset is refused without --add or --replace.

    \b
    synth render recipes/spheres_sem.yaml 'initial_runtime_state.seed=range(15)' --out ./dataset
    """
    from synth_api.sweep.definition import Sweep
    from synth_cli.local.render_sweep import RenderSettings, render_sweep
    from synth_dataset.attempts.render_call import OtherRuns

    if add and replace:
        raise click.UsageError("--add and --replace exclude each other")
    others = OtherRuns.ADD if add else OtherRuns.REPLACE if replace else OtherRuns.REFUSE
    sweep = Sweep.load(recipe, arguments, os.environ).with_name(name)
    settings = RenderSettings(workers, only, device, engine, startup_seconds, others, packaging == "shards")
    return render_sweep(sweep, out, settings)
