"""Rendering steps: each writes files into the run's folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_api.recipe.outputs import StepOutput, build_step_outputs
from synth_api.recipe.rendering import RenderParticlesIndividually, RenderParticlesTogether, SaveState
from synth_dataset.documents.layout import AGGLOMERATES, INSTANCES
from synth_dataset.documents.pictures import write_png
from synth_renderer.labels.masks import find_visible_masks, list_amodal_masks
from synth_renderer.labels.modes import PICTURES, LabelView, draw_agglomerates, draw_instances
from synth_renderer.labels.omitted import find_labelled_bodies, keep_labelled_bodies
from synth_renderer.labels.regions import number_regions
from synth_renderer.labels.stl import write_stl
from synth_renderer.scene.sets import find_members
from synth_renderer.steps.records import write_feature_files
from synth_renderer.techniques.registry import TECHNIQUES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.recipe.rendering import RenderingStep
    from synth_renderer.labels.fragments import Fragments
    from synth_renderer.labels.masks import Masks
    from synth_renderer.model.staged_scene import StagedScene
    from synth_renderer.scene.world import World
    from synth_renderer.steps.stopwatch import Stopwatch
    from synth_renderer.techniques.base.technique import Technique

    Pixels = NDArray[np.uint8] | NDArray[np.uint16]
    Selection = NDArray[np.bool_]
    RenderStep = RenderParticlesTogether | RenderParticlesIndividually


@dataclass(frozen=True)
class RealImage:
    """A real image (H, W) or (H, W, 3) and its labels (H, W)."""

    pixels: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    """The nearest body in camera."""
    regions: NDArray[np.integer[Any]]
    """Numbers that change wherever the image does by the labels: regions where bodies overlap, else the ids."""


@dataclass
class Rendering:
    """Rendering of one staged scene into a folder; collects the pictures for gates, digest and thumbnail."""

    world: World
    scene: StagedScene
    fragments: Fragments
    folder: Path
    device: str
    watch: Stopwatch
    device_used: str = "cpu"
    real_images: list[RealImage] = field(default_factory=list)
    """Every real image with its labels, for the quality gates."""
    labels: dict[str, Pixels] = field(default_factory=dict)
    """Label pictures by path, for the label digest."""
    previews: list[Pixels] = field(default_factory=list)
    """Pictures of all particles together, in the order of their steps."""
    _labelled_views: dict[float, LabelView] = field(default_factory=dict)

    @cached_property
    def full_view(self) -> LabelView:
        """The label pass over all bodies."""
        return LabelView.from_fragments(self.fragments)

    @cached_property
    def visible_masks(self) -> Masks:
        """The visible masks of all bodies."""
        overlap = self.scene.technique.bodies_overlap
        return find_visible_masks(self.fragments, self.full_view.surface, bodies_overlap=overlap)

    @property
    def _technique(self) -> Technique:
        return TECHNIQUES[self.scene.technique.prototype]

    @property
    def min_visible_fraction(self) -> float:
        """Largest `minimum_visible_fraction` of all steps."""
        steps = self.world.recipe.synth_chain.rendering_steps
        return max((step.minimum_visible_fraction for step in steps if not isinstance(step, SaveState)), default=0.0)

    @property
    def labelled_particles(self) -> Selection | None:
        """Particles (N,) that all steps label; None if no step has a minimum visible fraction."""
        return self._find_visible(self.min_visible_fraction) if self.min_visible_fraction > 0 else None

    def write_instances(self) -> None:
        """Write `instances.png`: ids (H, W) uint16, 0 is background; `agglomerates.png` has numbers of agglomerates."""
        with self.watch.measure_stage("label pictures"):
            everything = self._select_all()
            view = self._build_labelled_view(everything, np.zeros_like(everything), self.min_visible_fraction)
            self._write_label_picture(INSTANCES, draw_instances(view))
            if self.scene.agglomerates is not None:
                self._write_label_picture(AGGLOMERATES, draw_agglomerates(view, self.scene.agglomerates.number))

    def run_steps(self, steps: tuple[RenderingStep, ...]) -> None:
        """Run all rendering steps in order."""
        for step, output in zip(steps, build_step_outputs(steps), strict=True):
            if isinstance(step, SaveState):
                self.save_state(output.get_path(), self._select_all())
            else:
                self._run_render_step(step, output)

    def save_state(self, path: str, shown: Selection) -> None:
        """Write the scene as a .blend; bodies not `shown` (N,) are hidden in it."""
        from synth_renderer.blender.state import write_state_file

        with self.watch.measure_stage("state"):
            write_state_file(self.scene, self._technique.build_environment, self._make_path(path), shown)

    def _run_render_step(self, step: RenderStep, output: StepOutput) -> None:
        interest = find_members(self.world, step.set_name_of_interest).particles
        overlapping = find_members(self.world, step.set_name_overlapping).particles
        for particle_id, of_interest, others in _list_selections(output, interest, overlapping):
            pixels = self._make_picture(step, output.get_path(particle_id), of_interest, others)
            if pixels is not None and particle_id is None:
                self.previews.append(pixels)
        if step.do_save_state:
            self.save_state(f"{output.stem}.blend", interest | overlapping)
        if step.do_save_features:
            write_feature_files(self.scene, self._make_path(output.folder))

    def _make_picture(self, step: RenderStep, path: str, interest: Selection, overlapping: Selection) -> Pixels | None:
        if step.rendering_mode == "real":
            return self._render_real_image(path, interest, interest | overlapping)
        with self.watch.measure_stage("label pictures"):
            if step.rendering_mode == "stl":
                with self._make_path(path).open("wb") as file:
                    write_stl(file, self.scene.bodies, np.flatnonzero(interest))
                return None
            view = self._build_labelled_view(interest, overlapping, step.minimum_visible_fraction)
            return self._write_label_picture(path, PICTURES[step.rendering_mode](view))

    def _render_real_image(self, path: str, in_camera: Selection, present: Selection) -> Pixels:
        with self.watch.measure_stage("real"):
            surface = self._build_view(in_camera, np.zeros_like(in_camera)).surface
            picture = self._technique.make_picture(self.scene, present, in_camera, surface, self.device)
            self.device_used = picture.device
            overlap = self.scene.technique.bodies_overlap
            regions = number_regions(self.fragments, in_camera) if overlap else surface.ids
            self.real_images.append(RealImage(picture.pixels, surface.ids, regions))
            write_png(self._make_path(path), picture.pixels)
            return picture.pixels

    def _write_label_picture(self, path: str, pixels: Pixels) -> Pixels:
        self.labels[path] = pixels
        write_png(self._make_path(path), pixels)
        return pixels

    def _build_view(self, interest: Selection, overlapping: Selection) -> LabelView:
        return (
            self.full_view
            if interest.all() and not overlapping.any()
            else LabelView.from_fragments(
                self.fragments, interest, overlapping, bodies_overlap=self.scene.technique.bodies_overlap
            )
        )

    def _build_labelled_view(self, interest: Selection, overlapping: Selection, least: float) -> LabelView:
        if least == 0:
            return self._build_view(interest, overlapping)
        if not (interest.all() and not overlapping.any()):
            return keep_labelled_bodies(self._build_view(interest, overlapping), self._find_visible(least))
        if least not in self._labelled_views:
            self._labelled_views[least] = keep_labelled_bodies(self.full_view, self._find_visible(least))
        return self._labelled_views[least]

    def _find_visible(self, least: float) -> Selection:
        return find_labelled_bodies(self.visible_masks, list_amodal_masks(self.fragments), least)

    def _select_all(self) -> Selection:
        return np.ones(len(self.scene), dtype=bool)

    def _make_path(self, path: str) -> Path:
        whole = self.folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        return whole


def _list_selections(
    output: StepOutput, interest: Selection, overlapping: Selection
) -> list[tuple[int | None, Selection, Selection]]:
    """Particle id, bodies of interest and overlapping bodies of each picture; one by one nothing overlaps."""
    if not output.one_by_one:
        return [(None, interest, overlapping)]
    bodies = np.arange(len(interest))
    return [(int(body) + 1, bodies == body, np.zeros_like(interest)) for body in np.flatnonzero(interest)]
