"""Base class, group and version of the custom resources."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from synth_api.errors import InputError
from synth_api.problems import convert_validation_error, format_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

GROUP: Final = "synth-operator.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"


def _truncate_to_seconds(time: datetime) -> datetime:
    return time.replace(microsecond=0)


Time = Annotated[AwareDatetime, AfterValidator(_truncate_to_seconds)]
"""A point in time as Kubernetes writes it: whole seconds."""


Section = Annotated[dict[str, Any], Field(max_length=256)]
"""A mapping of a recipe or of paths, whose values the schema does not describe."""


class Part(BaseModel):
    """Part of a resource: frozen, camelCase in JSON, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


def list_keys(model: type[Part], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a model has at a location in its JSON."""
    for word in location:
        for field in model.model_fields.values():
            if field.alias == word:
                model = _find_model(field.annotation) or model
    return [str(field.alias) for field in model.model_fields.values()]


def explain_part_error(error: ValidationError, describe_unknown_key: Callable[[ErrorDetails], str]) -> InputError:
    """Return the first problem of the validation of a Part that no recipe holds; of an unknown key, as described.

    An unknown key goes before a missing one, because a misspelt key is both.
    """
    errors, problem = error.errors(include_url=False), convert_validation_error(error)
    if errors[0]["type"] not in ("missing", "extra_forbidden"):
        return problem
    unknown = next((details for details in errors if details["type"] == "extra_forbidden"), None)
    if unknown is None:
        return InputError(problem.path, "is missing; give it a value")
    return InputError(format_location(unknown["loc"]), describe_unknown_key(unknown))


def _find_model(annotation: object) -> type[Part] | None:
    """Return the model in an annotation such as `dict[str, Toleration]` or `Output | None`; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next(filter(None, map(_find_model, get_args(annotation))), None)
