"""CustomResourceDefinitions of SynthRecipe, SynthSweep and SynthDataset, built from their models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from synth_api.crd.cel_rules import ONE_OF, PUBLISHED, RULES, Rule, build_name_rule
from synth_api.crd.structural_schema import build_structural_schema, remove_defaults
from synth_api.resources import synth_dataset as dataset
from synth_api.resources import synth_recipe as recipe
from synth_api.resources import synth_sweep as sweep
from synth_api.resources.base import GROUP, VERSION

if TYPE_CHECKING:
    from synth_api.resources.base import Part


@dataclass(frozen=True)
class Column:
    """Column that `kubectl get` prints; `wide` only with -o wide."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    description: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the column as an item of `additionalPrinterColumns`."""
        return {
            "name": self.name,
            "type": self.type,
            "jsonPath": self.path,
            **({"description": self.description} if self.description else {}),
            **({"priority": 1} if self.wide else {}),
        }


AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")


@dataclass(frozen=True)
class Kind:
    """Kind of a custom resource, with its models and printer columns."""

    kind: str
    plural: str
    short: str
    about: str
    spec: type[Part]
    status: type[Part]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


KINDS: Final = (
    Kind(
        kind=recipe.KIND,
        plural="synthrecipes",
        short="sr",
        about="A recipe: what a scene holds, how it is varied and what is rendered of it.",
        spec=recipe.RecipeSpec,
        status=recipe.RecipeStatus,
        columns=(
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            Column("Message", ".status.conditions[?(@.type=='Ready')].message"),
            Column("Digest", ".status.digest", wide=True, description="sha256 of the composed recipe"),
            AGE,
        ),
    ),
    Kind(
        kind=sweep.KIND,
        plural="synthsweeps",
        short="ss",
        about="A sweep: one recipe and axes of values, rendered run by run into a dataset.",
        spec=sweep.SweepSpec,
        status=sweep.SweepStatus,
        columns=(
            Column("Phase", ".status.phase"),
            Column("Done", ".status.runs.done", "integer", description="runs that exist"),
            Column("Total", ".status.runs.total", "integer", description="all runs of the sweep"),
            Column("Cached", ".status.runs.cached", "integer", description="runs that existed before it began"),
            Column("Failed", ".status.runs.failed", "integer", description="runs that failed"),
            Column("ETA", ".status.eta", description="when rendering ends at this pace"),
            AGE,
            Column("Progress", ".status.progress", wide=True, description="finished share of all runs"),
            Column("Pods", ".status.runs.active", "integer", wide=True, description="render pods that run now"),
            Column(
                "GPU-Hours",
                ".status.forecast.gpuHours",
                "number",
                wide=True,
                description="GPU hours that the sweep will have taken",
            ),
            Column(
                "Cost",
                ".status.forecast.cost",
                "number",
                wide=True,
                description="cost of the GPUs that it will have taken",
            ),
            Column("Recipe", ".spec.recipeRef.name", wide=True),
            Column("Message", ".status.conditions[?(@.type=='Ready')].message", wide=True),
            Column("Dataset", ".status.dataset", wide=True),
        ),
        selectable=(".spec.recipeRef.name", ".spec.suspend", ".status.phase"),
        rules=(build_name_rule("sweep"),),
    ),
    Kind(
        kind=dataset.KIND,
        plural="synthdatasets",
        short="sd",
        about="A versioned dataset: sweeps joined, split, exported and published in a store.",
        spec=dataset.DatasetSpec,
        status=dataset.DatasetStatus,
        columns=(
            Column("Phase", ".status.phase"),
            Column("Version", ".status.version", description="version that was published last"),
            Column("Runs", ".status.runs", "integer", description="runs of that version"),
            Column("Splits", ".status.splitRuns", description="its runs by split"),
            Column("Exports", ".status.formats", description="formats of its exports"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            AGE,
            Column("Message", ".status.conditions[?(@.type=='Ready')].message", wide=True),
            Column("Root", ".status.root", wide=True, description="sha256 of its runs and their labels"),
            Column("Dataset", ".status.dataset", wide=True),
        ),
        selectable=(".spec.version", ".status.phase"),
        rules=(build_name_rule("dataset"), PUBLISHED),
    ),
)


def build_definition(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind."""
    singular = kind.kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": singular,
                "shortNames": [kind.short],
                "categories": ["synth"],
            },
            "versions": [_build_version(kind)],
        },
    }


def _build_version(kind: Kind) -> dict[str, Any]:
    selectable = [{"jsonPath": path} for path in kind.selectable]
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.to_json() for column in kind.columns],
        **({"selectableFields": selectable} if selectable else {}),
        "schema": {"openAPIV3Schema": _build_schema(kind)},
    }


def _build_schema(kind: Kind) -> dict[str, Any]:
    spec = build_structural_schema(kind.spec.model_json_schema(), RULES, ONE_OF)
    # In serialization mode, so that derived fields are included.
    status = remove_defaults(build_structural_schema(kind.status.model_json_schema(mode="serialization"), {}, {}))
    conditions = status["properties"]["conditions"]
    conditions |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    # kstatus, and so Flux, takes a resource without a status for finished.
    unseen = kind.status().model_dump(mode="json", by_alias=True, include={"observed_generation", "phase"})
    rules = [rule.to_json() for rule in kind.rules]
    return {
        "description": kind.about,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": {**{key: value for key, value in status.items() if key != "required"}, "default": unseen},
        },
        **({"x-kubernetes-validations": rules} if rules else {}),
    }
