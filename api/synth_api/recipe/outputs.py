"""Paths of the files of rendering steps, relative to the run's folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.modes import MODES
from synth_api.recipe.rendering import RenderParticlesIndividually, RenderParticlesTogether, SaveState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_api.recipe.rendering import RenderingStep

RenderStep = RenderParticlesTogether | RenderParticlesIndividually


@dataclass(frozen=True)
class StepOutput:
    """The files of one rendering step, relative to the run's folder."""

    stem: str
    """Path without extension; the folder of the pictures when particles are rendered one by one."""
    extension: str
    one_by_one: bool

    @property
    def folder(self) -> str:
        """Folder of the tables of `do_save_features`; empty for the run's own folder."""
        return self.stem.rpartition("/")[0]

    def get_path(self, particle_id: int | None = None) -> str:
        """Return the picture's path, or that of one particle's picture if particles are rendered one by one."""
        return f"{self.stem}/{particle_id:05d}.{self.extension}" if self.one_by_one else f"{self.stem}.{self.extension}"


def build_step_outputs(steps: Sequence[RenderingStep]) -> tuple[StepOutput, ...]:
    """Return the output of each rendering step, in order.

    If two steps would write the same path, the names of their sets follow their prefixes. Raises InputError if the
    paths are still equal.
    """
    plain = [_build_output(step, distinct=False) for step in steps]
    count = Counter(output.get_path(0) for output in plain)
    outputs = [
        _build_output(step, distinct=True) if count[output.get_path(0)] > 1 else output
        for step, output in zip(steps, plain, strict=True)
    ]
    first: dict[str, int] = {}
    for index, output in enumerate(outputs):
        other = first.setdefault(output.get_path(0), index)
        if other != index:
            raise InputError(
                f"synth_chain.rendering_steps[{index}]",
                f"writes '{output.get_path(0)}' as step [{other}] does; give one of them another "
                "output_file_name_prefix",
            )
    return tuple(outputs)


def name_pictures(steps: Sequence[RenderingStep]) -> tuple[str, ...]:
    """Return the paths of the pictures of all particles together, in the order of their steps."""
    return tuple(
        output.get_path()
        for output in build_step_outputs(steps)
        if not output.one_by_one and output.extension not in ("blend", "stl")
    )


def _build_output(step: RenderingStep, *, distinct: bool) -> StepOutput:
    if isinstance(step, SaveState):
        return StepOutput(step.name, "blend", one_by_one=False)
    sets = f"_{step.set_name_of_interest}_over_{step.set_name_overlapping}" if distinct else ""
    folder = f"{step.subfolder}/" if step.subfolder else ""
    return StepOutput(
        f"{folder}{step.output_file_name_prefix}{sets}{step.rendering_mode}",
        MODES[step.rendering_mode].extension if step.rendering_mode == "stl" else step.image_file_extension,
        one_by_one=isinstance(step, RenderParticlesIndividually),
    )
