"""Base classes and value types of a recipe's nodes: known keys, targets, names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeVar, get_args
from unicodedata import is_normalized

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    Strict,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from synth_api.errors import InputError
from synth_api.problems import quote_value
from synth_api.recipe.values import parse_plain_value

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""
_WORD: Final = re.compile(r"(?!(?i:null|true|false|inf|nan)$)[^\W\d][\w-]{0,99}")
"""A word of a dotted path that Hydra's override grammar reads as a text, also within mappings."""
_NAME_PROBLEM: Final = (
    "is not a name that an override can address; use up to 100 letters, digits, '_' and '-', a letter first, "
    "and no word of YAML such as null or true"
)
_CLASS: Final = re.compile(r"\w([\w .-]{0,98}\w)?")
_CLASS_PROBLEM: Final = "is not the name of a class; use up to 100 letters, digits, '_', '-', '.' and blanks inside"

V = TypeVar("V")


def _to_integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _sort_entries(entries: dict[str, V]) -> dict[str, V]:
    return dict(sorted(entries.items()))


def _replace_null(value: Any) -> Any:
    return {} if value is None else value


def _check_name(name: str) -> str:
    if not _WORD.fullmatch(name) or not is_normalized("NFC", name):
        raise InputError("", f"{quote_value(name)} {_NAME_PROBLEM}")
    return name


def _check_class_name(name: str) -> str:
    if not _CLASS.fullmatch(name) or not is_normalized("NFC", name):
        raise InputError("", f"{quote_value(name)} {_CLASS_PROBLEM}")
    return name


Float = Annotated[float, Strict()]
Int = Annotated[int, BeforeValidator(_to_integer), Strict(), Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Bool = Annotated[bool, Strict()]
Name = Annotated[str, AfterValidator(_check_name)]
"""Key of a recipe's maps, usable in the path of an override, an axis and an interpolation."""
FileName = Annotated[str, Field(pattern=r"^\w[\w -]*$", max_length=100)]
FileNamePart = Annotated[str, Field(pattern=r"^(\w[\w .-]*)?$", max_length=100)]
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Share = Annotated[Float, Field(ge=0, le=1)]
ClassName = Annotated[str, AfterValidator(_check_class_name)]
"""Name of a class of particles, in the documents of a dataset only."""
NamedNodes = Annotated[dict[Name, V], BeforeValidator(_replace_null), AfterValidator(_sort_entries)]
"""A map of a recipe, null meaning empty, by name in code-point order (docs/contracts.md, section 1)."""


@dataclass(frozen=True)
class NoEffect:
    """Annotation of a field that is allowed but changes no output."""

    reason: str
    """Reason, as the second half of a sentence."""


class Node(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, validate_by_name=True)

    keys: ClassVar[frozenset[str]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_arguments: Any) -> None:
        cls.keys = frozenset({field.alias or name for name, field in cls.model_fields.items()})

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, value: Any) -> Any:
        """Raise an error that lists the known keys, which pydantic's own check does not."""
        if isinstance(value, dict) and not value.keys() <= cls.keys:
            unknown = next(key for key in value if key not in cls.keys)
            if unknown not in cls.model_fields:
                known = sorted(cls.keys - {"_target_"})
                raise PydanticCustomError("unknown_key", "there is no such key", {"key": unknown, "known": known})
        return value

    def list_ineffective_fields(self) -> dict[str, str]:
        """Return field -> reason for the fields that change no output, given the values of the others."""
        return {
            name: mark.reason
            for name, field in type(self).model_fields.items()
            for mark in field.metadata
            if isinstance(mark, NoEffect)
        }


class Builtin(Node):
    """Node that a `_target_` selects; the class has the name of its target."""

    family: ClassVar[str] = "$builtins"
    target: ClassVar[str]
    """Canonical target string."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_arguments: Any) -> None:
        super().__pydantic_init_subclass__()
        cls.keys |= {"_target_"}
        cls.target = f"{cls.family}.{cls.__name__}"


class Step(Builtin):
    """One entry of a step list."""

    id: StepId | None = None
    """A word by which overrides may address the step instead of its index; not part of the run key."""


def build_legacy_targets(namespace: str, *classes: type[Builtin]) -> dict[str, str]:
    """Return dotted path -> canonical target for the spellings of the predecessor's recipes."""
    root = {"$builtins": "synthpic2.recipe", "$plugins.official": "plugins.official"}
    return {f"{root[kind.family]}.{namespace}.{kind.__name__}": kind.target for kind in classes}


class ByTarget:
    """Annotation of a union of builtins that `_target_` discriminates."""

    def __init__(self, legacy: dict[str, str]) -> None:
        self._legacy = legacy

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a tagged union with the canonical targets as tags."""
        choices = {kind.target: handler.generate_schema(kind) for kind in get_args(union)}
        return core_schema.tagged_union_schema(choices, discriminator=_target_of(self._legacy))


class PlainOrByTarget:
    """Annotation of a union of builtins and types of plain values."""

    def __init__(self, legacy: dict[str, str]) -> None:
        self._target_of = _target_of(legacy)

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a tagged union of the plain value and the canonical targets."""
        plain = core_schema.no_info_plain_validator_function(parse_plain_value)
        nodes = [kind for kind in get_args(union) if issubclass(kind, Builtin)]
        choices = {"$plain": plain} | {kind.target: handler.generate_schema(kind) for kind in nodes}
        return core_schema.tagged_union_schema(choices, discriminator=self._find_tag)

    def _find_tag(self, value: Any) -> str | None:
        return self._target_of(value) if isinstance(value, dict | Builtin) else "$plain"


def _target_of(legacy: dict[str, str]) -> Callable[[Any], str | None]:
    def target_of(value: Any) -> str | None:
        if isinstance(value, Builtin):
            return value.target
        written = value.get("_target_") if isinstance(value, dict) else None
        return legacy.get(written, written) if isinstance(written, str) else None

    return target_of
