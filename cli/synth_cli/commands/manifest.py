"""`synth manifest`: a recipe and a sweep as custom resources."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from synth_cli.parameters import NAMESPACE, PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from synth_cli.manifests.custom_resources import Resource


@click.command(name="manifest", short_help="Write a recipe and a sweep as Kubernetes resources.")
@click.argument("recipe", type=PATH)
@click.argument("arguments", nargs=-1, type=TEXT)
@click.option("--name", type=TEXT, help="Name of the sweep.  [default: the recipe's name and the number of runs]")
@click.option("--namespace", "-n", type=NAMESPACE, help="Namespace to write into them.")
@click.option("--parallelism", type=click.IntRange(1, 10_000), help="Render pods at a time.")
@click.option("--out", type=PATH, help="Folder to write a file each into, instead of stdout.")
def command(
    recipe: Path,
    arguments: tuple[str, ...],
    name: str | None,
    namespace: str | None,
    parallelism: int | None,
    out: Path | None,
) -> None:
    """Write RECIPE as a SynthRecipe and, with ARGUMENTS (as in `synth plan`), the sweep as a SynthSweep.

    Everything is checked first. The dataset goes where the operator is configured to put it; add spec.output for
    another place.

    \b
    synth manifest recipes/spheres_sem.yaml 'initial_runtime_state.seed=range(15)' | kubectl apply -f -
    """
    from synth_api.composition.source import read_recipe
    from synth_api.sweep.axes import parse_arguments
    from synth_api.sweep.definition import Sweep
    from synth_cli.manifests import custom_resources as manifests
    from synth_cli.manifests import manifest_check

    source = read_recipe(recipe)
    sweep = Sweep.from_source(source, arguments)
    its_name = manifests.recipe_name(source.name)
    options = {"--name": name, "--namespace": namespace, "--parallelism": parallelism}
    given = [word for option, value in options.items() if value for word in (option, str(value))]
    call = ["synth", "manifest", str(recipe)]
    scene = manifests.recipe_document(source, its_name, namespace)
    manifest_check.check_recipe(scene)
    written = [(call, scene)]
    if arguments or name:
        called = manifests.sweep_name(name or f"{its_name}-{sweep.runs}")
        parsed = parse_arguments(arguments)
        document = manifests.sweep_document(called, namespace, its_name, arguments, parsed, parallelism)
        manifest_check.check_sweep(document, arguments, parsed)
        written.append(([*call, *arguments, *given], document))
    write({document["metadata"]["name"]: text(call, document) for call, document in written}, out)


def text(call: list[str], document: Resource) -> str:
    """A resource and, above it, how it was made."""
    from synth_cli.terminal.readable_yaml import readable
    from synth_cli.terminal.standard_streams import visible

    return f"# {visible(shlex.join(call))}\n{readable(document)}"


def write(texts: dict[str, str], out: Path | None) -> None:
    """To stdout as one stream, or into a folder, a file each, whose paths are printed.

    Raises InputError for a folder that cannot be written.
    """
    from synth_api.errors import InputError
    from synth_cli.terminal.standard_streams import print_line

    if out is None:
        print_line("---\n".join(texts.values()).rstrip("\n"))
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in texts.items():
            path = out / f"{name}.yaml"
            path.write_text(content, encoding="utf-8")
            print_line(str(path))
    except OSError as error:
        raise InputError("--out", f"'{out}' cannot be written ({error.strerror}); choose another folder") from None
