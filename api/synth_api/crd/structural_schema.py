"""pydantic's JSON schema as a structural schema of Kubernetes (apiextensions.k8s.io/v1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from synth_api.crd.cel_rules import Rule

Schema = dict[str, Any]
Rules = Mapping[str, Sequence["Rule"]]
OneOf = Mapping[str, Sequence[str]]

_KEPT: Final = (
    "description",
    "default",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "x-kubernetes-preserve-unknown-fields",
)
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})
"""Default values that are left out."""


def build_structural_schema(schema: Schema, rules: Rules, one_of: OneOf) -> Schema:
    """Return the structural schema of a model's JSON schema.

    `rules` are the CEL rules of models, by the class' name; `one_of` fields of which a model has exactly one.

    The API server's field validation refuses unknown fields, not the schema. An optional field is left out instead
    of null. Raises ValueError for what a structural schema cannot express.
    """
    return _Converter(schema.get("$defs", {}), rules, one_of).convert(schema)


def remove_defaults(schema: Schema) -> Schema:
    """Return the schema without defaults: a status holds only what was written."""
    result = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in schema:
        result["properties"] = {name: remove_defaults(node) for name, node in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            result[key] = remove_defaults(schema[key])
    return result


class _Converter:
    def __init__(self, definitions: Mapping[str, Schema], rules: Rules, one_of: OneOf) -> None:
        self._definitions = definitions
        self._rules = rules
        self._one_of = one_of

    def convert(self, schema: Schema) -> Schema:
        """Return the structural schema of a node and of all nodes below it."""
        schema = self._flatten(schema)
        kept: Schema = {key: schema[key] for key in _KEPT if key in schema}
        if kept.get("default") in _EMPTY:
            kept.pop("default", None)
        if "const" in schema:
            kept["enum"] = [schema["const"]]
        for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if bound in schema:
                kept |= {limit: schema[bound], bound: True}
        return kept | self._convert_type(schema)

    def _flatten(self, schema: Schema) -> Schema:
        """Return a schema with references resolved and `X | None` as X; a field's keywords override its type's."""
        schema = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
        if "$ref" in schema:
            referred = self._definitions[schema["$ref"].rpartition("/")[2]]
            return self._flatten({**referred, **{key: value for key, value in schema.items() if key != "$ref"}})
        if "anyOf" in schema:
            choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
            own = {key: value for key, value in schema.items() if key != "anyOf"}
            return {**own, "union": choices} if len(choices) > 1 else self._flatten({**choices[0], **own})
        return schema

    def _convert_type(self, schema: Schema) -> Schema:
        if "union" in schema:
            return _convert_union({choice.get("type") for choice in schema["union"]})
        kind = schema.get("type")
        if kind is None:
            if schema.keys() - {"title", "description", "default"}:
                raise ValueError(f"no structural schema says {sorted(schema)}")
            return {"x-kubernetes-preserve-unknown-fields": True}
        if kind == "object":
            return {"type": "object", **self._convert_object(schema)}
        if kind == "array":
            if "prefixItems" in schema:
                raise ValueError("no structural schema says prefixItems")
            return {"type": "array", "items": self.convert(schema["items"])}
        return {"type": kind}

    def _convert_object(self, schema: Schema) -> Schema:
        if "properties" not in schema:
            values = schema.get("additionalProperties", True)
            if values is True:
                return {"x-kubernetes-preserve-unknown-fields": True}
            return {"additionalProperties": self.convert(values)}
        required = [name for name in schema.get("required", ()) if not schema["properties"][name].get("readOnly")]
        rules = self._rules.get(schema["title"], ())
        # A rule's message explains what a violated pattern only quotes.
        in_words = {rule.field.removeprefix(".") for rule in rules}
        nodes = {name: self.convert(node) for name, node in schema["properties"].items()}
        for name in in_words & nodes.keys():
            nodes[name].pop("pattern", None)
        one_of = [{"required": [name]} for name in self._one_of.get(schema["title"], ())]
        return {
            "properties": nodes,
            **({"required": required} if required else {}),
            **({"oneOf": one_of} if one_of else {}),
            **({"x-kubernetes-validations": [rule.to_json() for rule in rules]} if rules else {}),
        }


def _convert_union(kinds: set[str | None]) -> Schema:
    if kinds == {"integer", "number"}:
        return {"type": "number"}
    if kinds == {"integer", "string"}:
        return {"x-kubernetes-int-or-string": True}
    raise ValueError(f"no structural schema says one of {sorted(map(str, kinds))}")
