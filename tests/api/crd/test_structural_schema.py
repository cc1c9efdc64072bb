"""What pydantic says, as a structural schema says it."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from synth_api.crd.cel_rules import Rule
from synth_api.crd.structural_schema import build_structural_schema, remove_defaults


class Inner(BaseModel):
    """An inner thing."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    size: int
    """How large."""


def field(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """The node of a field with this annotation, optional when it has a default."""
    given: dict[str, Any] = {
        "__annotations__": {"it": annotation},
        "__module__": __name__,
        **({} if default is ... else {"it": default}),
    }
    model = type("Model", (BaseModel,), given)
    node: dict[str, Any] = build_structural_schema(model.model_json_schema(), {}, {})["properties"]["it"]
    return node


FREE = {"x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("annotation", "node"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (Annotated[int, Field(ge=1, le=5)], {"type": "integer", "minimum": 1, "maximum": 5}),
        (
            Annotated[float, Field(gt=0, lt=1)],
            {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1, "exclusiveMaximum": True},
        ),
        (Annotated[str, Field(pattern="^a$", max_length=4)], {"type": "string", "pattern": "^a$", "maxLength": 4}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (int | float, {"type": "number"}),
        (int | str, {"x-kubernetes-int-or-string": True}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (tuple[Any, ...], {"type": "array", "items": FREE}),
        (dict[str, Any], {"type": "object", **FREE}),
        (dict[str, str], {"type": "object", "additionalProperties": {"type": "string"}}),
        (dict[str, dict[str, Any]], {"type": "object", "additionalProperties": {"type": "object", **FREE}}),
        (
            Inner,
            {
                "description": "An inner thing.",
                "type": "object",
                "properties": {"size": {"type": "integer", "description": "How large."}},
                "required": ["size"],
            },
        ),
    ],
)
def test_a_field(annotation: Any, node: dict[str, Any]) -> None:
    assert field(annotation) == node
    assert field(annotation | None, None) == node, "null is left out, never written"


def test_nonempty_defaults_are_kept() -> None:
    assert field(int, 0)["default"] == 0
    assert field(bool, False)["default"] is False
    assert field(str, "a")["default"] == "a"
    assert "default" not in field(str, "")
    assert "default" not in field(tuple[str, ...], ())


def test_keywords_of_a_field_override_those_of_its_type() -> None:
    assert field(Annotated[Inner, Field(description="This one.")])["description"] == "This one."


def test_no_default_is_left_in_a_status() -> None:
    node = {
        "type": "object",
        "default": {},
        "properties": {"a": {"type": "array", "items": {"type": "integer", "default": 1}, "default": [1]}},
    }
    expected = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}
    assert remove_defaults(node) == expected


def test_rules_and_alternatives_are_placed_at_their_model() -> None:
    rules = {"Inner": [Rule("self.size > 0", "size must be positive", ".size")]}
    node = build_structural_schema(Inner.model_json_schema(), rules, {"Inner": ["size", "weight"]})
    assert node["x-kubernetes-validations"] == [
        {"rule": "self.size > 0", "message": "size must be positive", "fieldPath": ".size"}
    ]
    assert node["oneOf"] == [{"required": ["size"]}, {"required": ["weight"]}]


@pytest.mark.parametrize("annotation", [tuple[int, str], int | list[int], dict[str, Any] | str])
def test_schemas_without_a_structural_form_are_refused(annotation: Any) -> None:
    with pytest.raises(ValueError, match="no structural schema says"):
        field(annotation)
