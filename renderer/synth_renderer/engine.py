"""One run, from a recipe to the files of its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_api.recipe.feature_columns import list_feature_columns
from synth_dataset.documents.label_digest import compute_label_digest
from synth_dataset.documents.pictures import write_webp
from synth_dataset.gates.quality_gates import check_gates, require_gates
from synth_dataset.views.thumbnails import build_contact_strip
from synth_renderer.labels.modes import find_depth_range
from synth_renderer.labels.omitted import remove_covered_fragments
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.model.rendered_run import RenderedRun
from synth_renderer.numerics import compilation
from synth_renderer.scene.staging import stage_scene
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.records import build_records
from synth_renderer.steps.rendering import Rendering
from synth_renderer.steps.stopwatch import Stopwatch
from synth_renderer.techniques.registry import TECHNIQUES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synth_api.recipe.model import Recipe
    from synth_dataset.documents.run_manifest import GpuRecord
    from synth_dataset.gates.quality_gates import GateResult
    from synth_renderer.labels.fragments import Fragments
    from synth_renderer.model.staged_scene import StagedScene
    from synth_renderer.steps.records import Records


def render(recipe: Recipe, folder: Path, device: str) -> RenderedRun:
    """Render a run into an empty folder.

    `device` is one of `auto gpu cpu optix cuda hip oneapi`. Raises RenderError when the recipe cannot be carried out,
    GateError when labels and picture do not fit, DeviceUnavailableError when the machine lacks the device,
    DeviceFailedError when it fails and GpuMemoryError when the scene does not fit into it.
    """
    watch = Stopwatch()
    world = World(recipe)
    run_generation_steps(world, watch)
    with watch.measure_stage("label pass"):
        scene = stage_scene(world)
        rendering = Rendering(world, scene, _rasterise_bodies(scene), folder, device, watch)
    rendering.write_instances()
    if world.stopped_by:
        rendering.save_state(f"{world.stopped_by}.blend", np.ones(len(scene), dtype=bool))
    else:
        rendering.run_steps(recipe.synth_chain.rendering_steps)
    with watch.measure_stage("annotations"):
        records = build_records(
            scene,
            rendering.fragments,
            rendering.full_view.surface,
            rendering.visible_masks,
            list_feature_columns(recipe),
            rendering.labelled_particles,
        )
        records.write(folder)
        write_webp(folder / "thumb.webp", build_contact_strip(rendering.previews))
    with watch.measure_stage("gates"):
        gates = _check_gates(rendering, records)
    with watch.measure_stage("digest"):
        digest = compute_label_digest(rendering.labels, records.table, records.annotations)
    return _build_result(scene, rendering, records, gates, digest)


def prepare_device(device: str, announce: Callable[[str], None]) -> GpuRecord | None:
    """Load the kernels that trace pictures on a device; None if that is the CPU, which needs none.

    `announce` is called before that, with a sentence that says what takes the time. Raises DeviceUnavailableError and
    DeviceFailedError.
    """
    if device == "cpu":
        return None
    from synth_renderer.blender.kernel_loading import load_kernels

    return load_kernels(device, announce)


def watch_compilation(announce: Callable[[float], None]) -> None:
    """Call `announce` while the first runs on a machine compile kernels, with the seconds spent on that so far."""
    compilation.watch_compilation(announce)


def _rasterise_bodies(scene: StagedScene) -> Fragments:
    """Return the label pass over all bodies, without the pixels under overlays of the picture."""
    fragments = rasterise_bodies(scene.bodies, scene.technique.camera)
    covered = TECHNIQUES[scene.technique.prototype].find_overlay_pixels(scene.technique, scene.seed)
    return fragments if covered is None else remove_covered_fragments(fragments, covered)


def _check_gates(rendering: Rendering, records: Records) -> tuple[GateResult, ...]:
    """Compare the table with the instances, then each real image with the labels of its bodies. Raises GateError."""
    results = check_gates(rendering.full_view.surface.ids, records.nearest_px, None)
    for image in rendering.real_images:
        shown = np.bincount(image.ids.ravel(), minlength=len(records.nearest_px) + 1)[1:]
        gates = check_gates(image.ids, shown, image.pixels, image.regions)
        results += tuple(gate for gate in gates if gate.name not in ("ids", "area"))
    require_gates(results)
    return results


def _build_result(
    scene: StagedScene, rendering: Rendering, records: Records, gates: tuple[GateResult, ...], digest: str
) -> RenderedRun:
    camera = scene.technique.camera
    return RenderedRun(
        device=rendering.device_used,
        seconds=rendering.watch.seconds,
        width=camera.width,
        height=camera.height,
        pixel_size=camera.pixel_size,
        depth_range=find_depth_range(rendering.fragments),
        particles=len(scene),
        visible=int(np.count_nonzero(records.visible_px)),
        physics=tuple(rendering.world.physics),
        gates=gates,
        label_digest=digest,
    )
