"""`synth manifest`: write a recipe and a sweep as custom resources."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from synth_cli.parameters import NAMESPACE, PACKAGINGS, PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from synth_cli.manifests.custom_resources import Resource


@click.command(name="manifest")
@click.argument("recipe", type=PATH)
@click.argument("arguments", nargs=-1, type=TEXT)
@click.option("--name", type=TEXT, help="Name of the sweep.  [default: RECIPE-RUNS]")
@click.option("--namespace", "-n", type=NAMESPACE, help="Namespace of the resources.")
@click.option("--parallelism", type=click.IntRange(1, 10_000), help="Number of render pods at a time.")
@click.option("--packaging", type=click.Choice(PACKAGINGS), help="How the store holds runs.  [default: files]")
@click.option("--out", type=PATH, help="Folder for one file per resource, instead of stdout.")
def command(
    recipe: Path,
    arguments: tuple[str, ...],
    name: str | None,
    namespace: str | None,
    parallelism: int | None,
    packaging: str | None,
    out: Path | None,
) -> None:
    """Write RECIPE as a SynthRecipe and, with ARGUMENTS (as in `synth plan`), the sweep as a SynthSweep.

    All input is checked first. The dataset goes to the default output of the operator; add spec.output for another
    store.

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
    name_of_recipe = manifests.to_recipe_name(source.name)
    options = {"--name": name, "--namespace": namespace, "--parallelism": parallelism, "--packaging": packaging}
    given = [word for option, value in options.items() if value for word in (option, str(value))]
    call = ["synth", "manifest", str(recipe)]
    scene = manifests.build_recipe(source, name_of_recipe, namespace)
    manifest_check.check_recipe(scene)
    written = [(call, scene)]
    if arguments or name:
        sweep_name = manifests.check_new_name(name or f"{name_of_recipe}-{sweep.runs}")
        parsed = parse_arguments(arguments)
        document = manifests.build_sweep(
            sweep_name, namespace, name_of_recipe, arguments, parsed, parallelism, packaging
        )
        manifest_check.check_sweep(document, arguments, parsed)
        written.append(([*call, *arguments, *given], document))
    write_resources({document["metadata"]["name"]: format_resource(call, document) for call, document in written}, out)


def format_resource(call: list[str], document: Resource) -> str:
    """Return a resource as YAML below a comment with the call that wrote it."""
    from synth_cli.terminal.readable_yaml import dump_yaml
    from synth_cli.terminal.standard_streams import escape_invisible

    return f"# {escape_invisible(shlex.join(call))}\n{dump_yaml(document)}"


def write_resources(texts: dict[str, str], out: Path | None) -> None:
    """Write YAML documents by name to stdout as one stream, or to one file each in a folder; print the paths of files.

    Raises InputError for a folder that is not writable.
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
