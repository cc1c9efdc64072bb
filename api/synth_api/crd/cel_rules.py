"""CEL rules that the API server evaluates beyond types and bounds, by the model that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from synth_api.export_options import FORMATS_WITHOUT_IGNORED, FORMATS_WITHOUT_OVERLAP, OWN_OPTIONS
from synth_api.resources.synth_dataset import (
    DISTINCT_FORMATS,
    DISTINCT_SOURCES,
    NO_IGNORED,
    NO_OVERLAP,
    ONE_CLASSIFICATION,
    SHARES,
    DatasetDefinition,
    explain_own_option,
)
from synth_api.resources.synth_sweep import MAX_NAME, MAX_OVERRIDES_LENGTH
from synth_api.resources.text_formats import BUCKET, DATASET_VERSION, ENDPOINT, PREFIX, REGION, SHARD_SIZE, TextFormat


@dataclass(frozen=True)
class Rule:
    """A CEL expression that holds, the sentence when it does not, and the field that the sentence is about."""

    holds: str
    message: str
    field: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the rule as an item of `x-kubernetes-validations`."""
        return {
            "rule": self.holds,
            "message": self.message,
            **({"fieldPath": self.field} if self.field else {}),
        }


def _build_format_rule(field: str, form: TextFormat, *more: str) -> Rule:
    there = f"self.{field}"
    holds = " && ".join((form.to_cel(there), *more))
    return Rule(f"!has({there}) || ({holds})", form.message, f".{field}")


def build_name_rule(what: str) -> Rule:
    """Return the rule for the names of objects that have Jobs."""
    return Rule(
        f"self.metadata.name.size() <= {MAX_NAME} && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        f"the name of a {what} is a DNS label of at most {MAX_NAME} characters: lower-case letters, digits and '-', "
        "so that the names of its Jobs fit",
    )


def _stay_equal(field: str) -> str:
    """Return the CEL expression of an optional field that is as it was."""
    now, before = f"self.{field}", f"oldSelf.{field}"
    return f"has({now}) == has({before}) && (!has({now}) || {now} == {before})"


def _list_option_rules() -> tuple[Rule, ...]:
    """Return the rules of options that only some formats have; a flag may be false."""
    return tuple(
        Rule(
            f"!has(self.{option}) || self.format in {list(formats)}"
            + (f" || !self.{option}" if option == "boxes" else ""),
            explain_own_option(option),
            f".{option}",
        )
        for option, formats in OWN_OPTIONS.items()
    )


PUBLISHED: Final = Rule(
    "!has(oldSelf.status) || !has(oldSelf.status.version) || oldSelf.status.version != self.spec.version || "
    "oldSelf.spec.version != self.spec.version || "
    f"({' && '.join(_stay_equal(f'spec.{field.alias}') for field in DatasetDefinition.model_fields.values())})",
    "a published version stays as it is: its sources, split, exports and card change with another version only; set "
    "another spec.version",
    ".spec.version",
)
"""Changes that CEL can see: those of the version that is published now."""

RULES: Final = {
    "SweepSpec": (
        Rule(
            "has(self.recipeRef) != has(self.recipe)",
            "a sweep has either recipeRef, the name of a SynthRecipe, or recipe; write exactly one of them",
        ),
        Rule(
            "has(self.recipe) || !has(self.fragments)",
            "fragments belong to an inline recipe; those of a SynthRecipe stand in its own spec",
            ".fragments",
        ),
        Rule(
            "!has(self.overrides) || !has(self.axes) || size(self.overrides) == 0 || size(self.axes) == 0",
            "overrides and axes exclude each other; a fixed override can be an axis of one value",
            ".axes",
        ),
        Rule(
            f"!has(self.overrides) || self.overrides.map(each, size(each)).sum() <= {MAX_OVERRIDES_LENGTH}",
            f"overrides have at most {MAX_OVERRIDES_LENGTH:,} characters together; split the sweep",
            ".overrides",
        ),
        Rule(
            _stay_equal("output"),
            "output cannot change, runs would be left behind; make a new sweep for another place",
            ".output",
        ),
        Rule(
            "type(self.maxFailedRuns) == int ? int(self.maxFailedRuns) >= 0 : "
            "string(self.maxFailedRuns).matches('^(100|[0-9]{1,2})%$')",
            "must be a number of runs or a percentage from 0% to 100%",
            ".maxFailedRuns",
        ),
        Rule(
            "!has(self.budget) || !has(self.budget.gpuHours) || has(self.gpu)",
            "gpuHours counts the GPUs of the gpu block, which this sweep does not have; write cpuHours or runs",
            ".budget",
        ),
    ),
    "Budget": (
        Rule(
            "has(self.gpuHours) || has(self.cpuHours) || has(self.runs)",
            "a budget has gpuHours, cpuHours or runs; write at least one of them",
        ),
    ),
    "DatasetSpec": (
        _build_format_rule("version", DATASET_VERSION),
        Rule(
            "self.sources.all(one, self.sources.exists_one(other, other.sweepRef.name == one.sweepRef.name))",
            DISTINCT_SOURCES,
            ".sources",
        ),
        Rule(
            "self.exports.all(one, self.exports.exists_one(other, other.format == one.format))",
            DISTINCT_FORMATS,
            ".exports",
        ),
        Rule(
            # The operator checks the exact sum: shares are decimal numbers, of which CEL sees the nearest double.
            "!has(self.split) || size(self.split) == 0 || (self.split.all(name, self.split[name] > 0.0) && "
            "self.split.map(name, self.split[name]).sum() > 0.999999 && "
            "self.split.map(name, self.split[name]).sum() < 1.000001)",
            SHARES,
            ".split",
        ),
        Rule(
            _stay_equal("output"),
            "output cannot change, versions would be left behind; make a new dataset for another place",
            ".output",
        ),
    ),
    "ExportSpec": (
        *_list_option_rules(),
        _build_format_rule("shardSize", SHARD_SIZE),
        Rule(
            f"!has(self.below) || self.below != 'ignore' || !(self.format in {list(FORMATS_WITHOUT_IGNORED)})",
            NO_IGNORED,
            ".below",
        ),
        Rule(
            f"!has(self.amodal) || !self.amodal || !(self.format in {list(FORMATS_WITHOUT_OVERLAP)})",
            NO_OVERLAP,
            ".amodal",
        ),
        Rule("!has(self.classes) || !has(self.classMap)", ONE_CLASSIFICATION, ".classMap"),
    ),
    "AxisSpec": (
        Rule(
            "has(self.path) != has(self.zip)",
            "an axis has either path, with values or range, or zip; write exactly one of them",
        ),
    ),
    "Range": (Rule("self.step != 0.0", "step must not be 0", ".step"),),
    "Output": (
        _build_format_rule(
            "endpoint",
            ENDPOINT,
            "(!self.endpoint.startsWith('[') || isIP(self.endpoint.substring(1, self.endpoint.indexOf(']'))))",
        ),
        _build_format_rule("bucket", BUCKET),
        _build_format_rule("prefix", PREFIX),
        _build_format_rule("region", REGION),
        Rule(
            "!has(self.secretRef) || !has(self.serviceAccountName)",
            "the store is opened by either secretRef or serviceAccountName; take one of them out",
        ),
    ),
}

ONE_OF: Final = {"AxisSpec": ("values", "range", "zip"), "SingleAxis": ("values", "range")}
"""Fields of which a model has exactly one; CEL cannot express it, because it sees no field with free-form items."""
