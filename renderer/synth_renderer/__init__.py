"""Render synthetic microscopy scenes from recipes; `render` is the door for Python programs. No Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from synth_api.recipe.model import Recipe
    from synth_renderer.model.rendered_run import RenderedRun

__all__ = ["render"]


def render(
    recipe: str | PathLike[str] | Recipe,
    folder: str | PathLike[str],
    overrides: Sequence[str] = (),
    device: str = "auto",
) -> RenderedRun:
    """Render one run of a recipe into a folder, in this process, and return what is known of it beside its files.

    The folder then holds `instances.png` (ids, uint16, 0 is background), `particles.parquet` (one row per particle),
    `annotations.json` (COCO-style masks), `thumb.webp` and the files that the recipe's rendering steps name, for
    example `real.png`. Equal recipes, overrides included, give equal labels on every machine.

        from synth_renderer import render

        run = render("recipes/spheres_sem.yaml", "beads", ["initial_runtime_state.seed=7"])
        print(run.particles, run.visible, run.label_digest)

    Args:
        recipe: Path of a recipe file, or a composed recipe (`synth_api.recipe.model.parse`).
        folder: The run's folder, made with its parents where it is missing; it must be empty.
        overrides: Overrides of a recipe file in Hydra's grammar, as on the command line of `synth render`; each gives
            one value. `${oc.env:NAME}` in a recipe reads this process's environment.
        device: `auto` (the best device there is), `gpu` (any but the CPU), `cpu`, `optix`, `cuda`, `hip` or `oneapi`.

    Raises:
        InputError: The recipe, an override, the folder or the device is wrong; one sentence names it and says what
            would be right. Nothing has been rendered.
        RenderError: The recipe is valid and cannot be carried out, for example for want of room for its particles.
        GateError: Labels and picture do not fit each other.
        DeviceUnavailableError: The device is not on this machine.
        OSError: The folder cannot be written.

    The first call of a process loads Blender and compiled functions, which takes seconds. Calls must not overlap:
    Blender has one open scene in a process, so for runs in parallel use processes.
    """
    from synth_renderer.library import render_folder

    return render_folder(recipe, folder, overrides, device)
