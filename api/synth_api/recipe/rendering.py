"""Rendering steps, which write the files of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from synth_api.errors import InputError, suggest_name
from synth_api.modes import MODES
from synth_api.problems import convert_validation_error
from synth_api.recipe.node import Bool, ByTarget, FileName, FileNamePart, Share, Step, build_legacy_targets

if TYPE_CHECKING:
    from synth_api.composition.source import Tree


def _parse_mode(value: Any) -> Any:
    if not isinstance(value, str) or value.lower() in MODES:
        return value.lower() if isinstance(value, str) else value
    raise InputError("", f"there is no rendering mode '{value}'; {suggest_name(value.lower(), MODES)}")


def _check_extension(value: str) -> str:
    if value.lower() != "png":
        raise InputError("", f"'{value}' is not available in this version; pictures are png")
    return "png"


def _to_set_name(value: Any) -> Any:
    return "Empty" if value is None else value


def _to_state_name(value: Any) -> Any:
    return "state" if value is None else value


class SaveState(Step):
    """Keep the scene under a name; as a rendering step, write it as `<name>.blend`."""

    name: Annotated[FileName, BeforeValidator(_to_state_name)] = "state"
    """Unique in the recipe."""


class RenderParticles(Step):
    """Fields that both steps that render particles share."""

    rendering_mode: Annotated[str, BeforeValidator(_parse_mode)]
    output_file_name_prefix: FileNamePart = ""
    set_name_of_interest: str = "AllParticles"
    set_name_overlapping: Annotated[str, BeforeValidator(_to_set_name)] = "Empty"
    """Particles that cover the others but have no labels; null means none."""
    subfolder: Annotated[str, Field(pattern=r"^\w[\w -]*(/\w[\w -]*)*$", max_length=200)] | None = None
    do_save_features: Bool = False
    do_save_state: Bool = False
    minimum_visible_fraction: Share = 0.0
    """Particles with a smaller visible fraction are background in label pictures; the largest value of all steps holds
    for the run."""
    image_file_extension: Annotated[str, AfterValidator(_check_extension)] = "png"

    def list_ineffective_fields(self) -> dict[str, str]:
        """Add the overlapping set for meshes, which cover nothing, unless a state is saved, which shows it."""
        return super().list_ineffective_fields() | self._explain_overlapping_set(
            "meshes cover nothing", self.rendering_mode == "stl"
        )

    def _explain_overlapping_set(self, reason: str, holds: bool) -> dict[str, str]:
        return {"set_name_overlapping": reason} if holds and not self.do_save_state else {}


class RenderParticlesTogether(RenderParticles):
    """One picture of all particles of the set of interest, covered by those of the overlapping set."""


class RenderParticlesIndividually(RenderParticles):
    """One picture per particle of the set of interest, alone."""

    def list_ineffective_fields(self) -> dict[str, str]:
        """Add the overlapping set: nothing covers a particle that is rendered alone."""
        return super().list_ineffective_fields() | self._explain_overlapping_set(
            "every particle is rendered alone", holds=True
        )


RenderingStep = SaveState | RenderParticlesTogether | RenderParticlesIndividually

LEGACY: Final = build_legacy_targets(
    "synth_chain.rendering_steps", SaveState, RenderParticlesTogether, RenderParticlesIndividually
)
RenderingStepNode = Annotated[RenderingStep, ByTarget(LEGACY)]
_STEPS: Final[TypeAdapter[tuple[RenderingStep, ...]]] = TypeAdapter(tuple[RenderingStepNode, ...])


def parse_rendering_steps(recipe: Tree) -> tuple[RenderingStep, ...]:
    """Return the rendering steps of a canonical tree. Raises InputError.

    Only these steps are read: a run of an earlier release may break a rule of this one.
    """
    try:
        return _STEPS.validate_python(recipe["synth_chain"]["rendering_steps"])
    except ValidationError as error:
        raise convert_validation_error(error) from None
