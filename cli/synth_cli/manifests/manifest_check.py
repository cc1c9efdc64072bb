"""Validation of a resource before it is written: the models of the CRD, and the size limit of kubectl."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from synth_api.composition.source import read_recipe_objects
from synth_api.errors import InputError
from synth_api.problems import format_location
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.resources.synth_sweep import SweepSpec
from synth_api.sweep.structured_axes import build_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_api.sweep.axes import Arguments
    from synth_cli.manifests.custom_resources import Resource

MAX_BYTES: Final = 255 * 1024
"""Maximum size of a resource as JSON: `kubectl apply` copies it into an annotation; annotations may have 256 KiB."""

_TOO_MANY: Final = {
    ("axes",): ("axes", "a sweep on a cluster", "split the sweep"),
    ("axes", "values"): ("values", "an axis on a cluster", "write a range, or split the sweep"),
    ("axes", "path"): ("characters", "the path of an axis", "shorten names in the recipe"),
    ("overrides",): ("arguments", "a sweep with fixed overrides", "write those into the recipe"),
    ("overrides", "item"): (
        "characters",
        "an argument beside fixed overrides",
        "write a range, or the others as axes of one value, path=choice(1)",
    ),
    ("fragments",): ("fragments", "a recipe on a cluster", "join some"),
}
"""Field of a spec -> the counted things, the owner of the limit, the remedy."""


def check_recipe(document: Resource) -> None:
    """Raise InputError for a SynthRecipe that the cluster would refuse."""
    try:
        spec = RecipeSpec.model_validate(document["spec"])
    except ValidationError as error:
        raise _to_input_error(error, ()) from None
    read_recipe_objects(document["metadata"]["name"], spec.recipe, spec.fragments)
    _check_size(document, "shorten the recipe")


def check_sweep(document: Resource, written: Sequence[str], arguments: Arguments) -> None:
    """Raise InputError for a SynthSweep that the cluster would refuse; `written` are its `arguments` as text."""
    try:
        spec = SweepSpec.model_validate(document["spec"])
    except ValidationError as error:
        raise _to_input_error(error, [argument.partition("=")[0] for argument in written]) from None
    for axis, structured in zip(arguments.axes, spec.axes, strict=False):
        try:
            build_axes([structured])
        except InputError as error:
            raise InputError(axis.path, error.problem) from None
    _check_size(document, "write ranges, or split the sweep")


def _to_input_error(error: ValidationError, paths: Sequence[str]) -> InputError:
    """Return the first problem of a spec as an error about the argument that the user wrote."""
    details = error.errors(include_url=False)[0]
    location, limits = details["loc"], details.get("ctx", {})
    numbers = [word for word in location if isinstance(word, int)]
    place = tuple(str(word) for word in location if not isinstance(word, int))
    if place == ("overrides",) and numbers:
        place = ("overrides", "item")
    key = paths[numbers[0]] if numbers else f"spec.{format_location(location)}"
    if place not in _TOO_MANY:
        return InputError(key, f"the cluster would refuse it: {details['msg'][:1].lower()}{details['msg'][1:]}")
    things, owner, remedy = _TOO_MANY[place]
    number, limit = len(details["input"]), limits["max_length"]
    return InputError(key, f"there are {number:,} {things}, {owner} has {limit:,} at most; {remedy}")


def _check_size(document: Resource, remedy: str) -> None:
    size = len(_dump_as_kubectl(document).encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        name = document["metadata"]["name"]
        problem = f"'{name}' has {size:,} bytes as JSON, more than the {MAX_BYTES:,} that kubectl apply can carry"
        raise InputError(document["kind"], f"{problem}; {remedy}")


def _dump_as_kubectl(document: Any) -> str:
    """Return JSON as Go writes it, with `<`, `>` and `&` escaped."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
