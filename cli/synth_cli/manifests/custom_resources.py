"""Custom resources of a recipe and a sweep."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from synth_api.composition.groups import get_path
from synth_api.errors import InputError
from synth_api.resources import synth_recipe as recipe_resource
from synth_api.resources import synth_sweep as sweep_resource
from synth_api.resources.base import API_VERSION
from synth_api.resources.synth_sweep import MAX_NAME
from synth_api.sweep.axis_values import DecimalRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_api.composition.source import RecipeSource
    from synth_api.sweep.axes import Arguments, Axis

Resource = dict[str, Any]
_MAX_RECIPE_NAME: Final = 63
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def to_resource_name(stem: str) -> str:
    """Return how resources are named for a file or a dataset of this machine: `Spheres_SEM` -> `spheres-sem`."""
    return stem.lower().replace("_", "-")


def to_recipe_name(stem: str) -> str:
    """Return the resource name of a recipe file, `Spheres_SEM` -> `spheres-sem`. Raises InputError."""
    name = to_resource_name(stem)
    if not _NAME.fullmatch(name) or len(name) > _MAX_RECIPE_NAME:
        problem = f"must be lower-case letters, digits and '-', at most {_MAX_RECIPE_NAME}; rename the recipe's file"
        raise InputError("recipe", f"'{name}' cannot be the name of a SynthRecipe: it {problem}")
    return name


def check_new_name(name: str) -> str:
    """Return the name of a new sweep. Raises InputError for an invalid name."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        problem = f"must be lower-case letters, digits and '-', at most {MAX_NAME}; give another one"
        raise InputError("--name", f"'{name}' cannot be the name of a sweep: it {problem}")
    return name


def build_recipe(source: RecipeSource, name: str, namespace: str | None) -> Resource:
    """Build the SynthRecipe of the files of a recipe."""
    fragments = {get_path(key): tree for key, tree in source.files.items() if key != source.name}
    spec = {"recipe": source.files[source.name], **({"fragments": fragments} if fragments else {})}
    return _build_resource(recipe_resource.KIND, name, namespace, spec)


def build_sweep(
    name: str,
    namespace: str | None,
    recipe: str,
    written: Sequence[str],
    arguments: Arguments,
    parallelism: int | None,
    packaging: str | None = None,
) -> Resource:
    """Build the SynthSweep of a command line: structured axes if all arguments are axes, else the arguments as text."""
    axes = [_build_axis(axis) for axis in arguments.axes]
    spec = {
        "recipeRef": {"name": recipe},
        **({"overrides": list(written)} if arguments.fixed else {"axes": axes} if axes else {}),
        **({"parallelism": parallelism} if parallelism else {}),
        **({"packaging": packaging} if packaging else {}),
    }
    return _build_resource(sweep_resource.KIND, name, namespace, spec)


def _build_resource(kind: str, name: str, namespace: str | None, spec: Resource) -> Resource:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _build_axis(axis: Axis) -> Resource:
    values = axis.values
    if not isinstance(values, range | DecimalRange):
        return {"path": axis.sign + axis.path, "values": list(values)}
    start, step = _to_plain_number(values.start), _to_plain_number(values.step)
    written = {
        **({"start": start} if start else {}),
        "stop": _compute_stop(values),
        **({"step": step} if step != 1 else {}),
    }
    return {"path": axis.sign + axis.path, "range": written}


def _compute_stop(values: range | DecimalRange) -> int | float:
    """Return the exclusive end of a range; if no float equals it, a number between the last value and the end."""
    start, step = Fraction(values.start), Fraction(values.step)
    stop = start + len(values) * step
    is_exact = Fraction(str(float(stop))) == stop
    return _to_plain_number(stop if is_exact else stop - step / 2)


def _to_plain_number(number: Any) -> int | float:
    return int(number) if number == int(number) else float(number)
