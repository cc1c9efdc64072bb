"""The recipe as frozen models: every node typed, every reference checked."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.prototypes.feature import Feature, FeatureType
from synth_api.recipe.criteria import CriterionNode
from synth_api.recipe.expression import parse_expression
from synth_api.recipe.feature_generation import FeatureGenerationStepNode
from synth_api.recipe.feature_values import convert_variability, find_largest_whole_number
from synth_api.recipe.node import MAX_INTEGER, Builtin, ClassName, Float, Int, Name, NamedNodes, Node, NoEffect
from synth_api.recipe.rendering import RenderingStepNode
from synth_api.recipe.values import parse_plain_value
from synth_api.recipe.variabilities import Variability, VariabilityNode


def _to_sequence(value: Any) -> Any:
    return () if value is None else value


def _replace_null(value: Any) -> Any:
    return {} if value is None else value


def _refuse_link(value: Any) -> None:
    if value is not None:
        raise InputError("", "links into a .blend file are not available in this version; give _value")


def _check_expression(text: str) -> str:
    parse_expression(text)
    return text


def _parse_constants(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: parse_plain_value(item) for name, item in sorted(value.items())}
    return {} if value is None else value


MAX_PARTICLES: Final = 65535
"""Ids are 16-bit, 0 is the background."""
_NUMBER: Final = Feature(FeatureType.INT, 0, "number of particles", "", 0, MAX_PARTICLES)


def _check_drawn_number(variability: Variability) -> Variability:
    try:
        return convert_variability(variability, _NUMBER)
    except InputError as error:
        raise InputError("", f"{error.path}: {error.problem}") from None


ParticleNumber = Annotated[
    Annotated[Annotated[Int, Field(ge=0, le=MAX_PARTICLES)], Tag("$plain")]
    | Annotated[VariabilityNode, AfterValidator(_check_drawn_number), Tag("$drawn")],
    Discriminator(lambda value: "$drawn" if isinstance(value, dict | Builtin) else "$plain"),
]
"""A whole number, or a variability that is drawn once in a run."""


class InitialRuntimeState(Node):
    """Initial state of a run: seed and time."""

    seed: Annotated[Int, Field(ge=0, le=MAX_INTEGER)]
    """Seed of every random stream of the run."""
    time: Annotated[Float, NoEffect("nothing depends on the time")] = 0.0


class CustomFeature(Node):
    """User-defined feature: a plain value that criteria can compare and variabilities can change."""

    name: str
    value: Annotated[Any, BeforeValidator(parse_plain_value)] = Field(default=None, alias="_value")
    blender_link: Annotated[None, BeforeValidator(_refuse_link)] = None


class Blueprint(Node):
    """Fields that both kinds of blueprint share."""

    custom_features: Annotated[tuple[CustomFeature, ...], BeforeValidator(_to_sequence)] = ()
    features: Annotated[dict[Name, Any], BeforeValidator(_parse_constants)] = Field(default_factory=dict)
    """Feature name -> value, set when the blueprint is invoked."""
    weight: Annotated[Float, Field(ge=0)] | None = None
    """Relative probability where a step chooses one of several blueprints."""


class MeasurementTechniqueBlueprint(Blueprint):
    """An instrument and its materials."""

    measurement_technique_prototype_name: str
    measurement_volume_material_prototype_name: Annotated[
        str,
        NoEffect("the measurement volume is not rendered, and no particle's IOR is divided by that of its material"),
    ] = "vacuum"
    background_material_prototype_name: str = "vacuum"


class ParticleBlueprint(Blueprint):
    """A number of particles of one shape and material."""

    geometry_prototype_name: str
    material_prototype_name: str = "default"
    number: ParticleNumber
    parent: Annotated[str, NoEffect("no particle has a parent")] = "MeasurementVolume"
    category: ClassName | None = None
    """Class of the particles in the documents of a dataset; null is the name of the blueprint."""
    supercategory: ClassName | None = None
    """Supercategory of that class; null is `particle`."""

    @property
    def max_number(self) -> int:
        """Largest number of particles that a run can have."""
        return self.number if isinstance(self.number, int) else find_largest_whole_number(self.number)


class Blueprints(Node):
    """Blueprints that steps can invoke."""

    measurement_techniques: NamedNodes[MeasurementTechniqueBlueprint]
    particles: NamedNodes[ParticleBlueprint] = Field(default_factory=dict)


class RecipeSet(Node):
    """Named selection of objects, evaluated at every use."""

    criterion: Annotated[str, AfterValidator(_check_expression)] = "True"


class FeatureVariability(Node):
    """Feature and the variability from which its values are drawn."""

    feature_name: str
    variability: VariabilityNode
    per: Literal["object", "run"] = "object"
    """`run`: one draw, the same value for every object."""


class ProcessConditions(Node):
    """Criteria, sets and variabilities that steps refer to by name."""

    feature_criteria: NamedNodes[CriterionNode] = Field(default_factory=dict)
    sets: NamedNodes[RecipeSet] = Field(default_factory=dict)
    feature_variabilities: NamedNodes[FeatureVariability] = Field(default_factory=dict)


class SynthChain(Node):
    """The steps, in order."""

    feature_generation_steps: tuple[FeatureGenerationStepNode, ...]
    rendering_steps: tuple[RenderingStepNode, ...]
    blender_log_file_name: Annotated[str, NoEffect("Blender's output is not kept in a file")] = "blender.log"


class Recipe(Node):
    """A whole recipe; `parse_recipe` returns it with all references checked."""

    parameters: NamedNodes[Annotated[Any, BeforeValidator(parse_plain_value)]] = Field(default_factory=dict)
    """Values to which others refer, `${parameters.name}`."""
    initial_runtime_state: InitialRuntimeState
    blueprints: Blueprints
    process_conditions: ProcessConditions = ProcessConditions()
    synth_chain: SynthChain
    dataset: Annotated[DatasetCard, BeforeValidator(_replace_null)] = DatasetCard()
    """What people say of the dataset."""
