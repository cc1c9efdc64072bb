"""The run manifest of a rendered run."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_api.recipe.outputs import name_pictures
from synth_api.version import ENGINE_VERSION
from synth_dataset.documents.run_manifest import Gate, RunRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from synth_api.recipe.model import Recipe
    from synth_dataset.documents.run_manifest import GpuRecord
    from synth_dataset.documents.stored_recipe import RecipeReference
    from synth_renderer.model.rendered_run import RenderedRun

PACKAGES = ("synth-operator", "bpy", "numpy", "numba", "opencv-python-headless", "pyarrow")


def build_run_record(
    key: str,
    recipe: Recipe,
    tree: RecipeReference,
    overrides: Mapping[str, Any],
    rendered: RenderedRun,
    gpu: GpuRecord | None,
    started: datetime,
    finished: datetime,
) -> RunRecord:
    """Return the manifest of a rendered run without its list of files.

    `tree` refers to the recipe in the store, `gpu` is the worker's.
    """
    return RunRecord(
        key=key,
        engine_version=ENGINE_VERSION,
        recipe=tree,
        overrides=dict(overrides),
        seed=recipe.initial_runtime_state.seed,
        versions={"python": platform.python_version()} | {package: version(package) for package in PACKAGES},
        processor=read_processor_name(),
        device=rendered.device,
        gpu=gpu if rendered.device != "cpu" else None,
        seconds=dict(rendered.seconds),
        width=rendered.width,
        height=rendered.height,
        pixel_size=rendered.pixel_size,
        depth_range=rendered.depth_range,
        pictures=name_pictures(recipe.synth_chain.rendering_steps),
        particles=rendered.particles,
        visible=rendered.visible,
        physics=tuple(asdict(report) for report in rendered.physics),
        gates=tuple(
            Gate(name=gate.name, passed=gate.passed, value=gate.value, threshold=gate.threshold, words=gate.reason)
            for gate in rendered.gates
        ),
        label_digest=rendered.label_digest,
        started=started,
        finished=finished,
    )


def read_processor_name() -> str:
    """Return the processor's model name from /proc/cpuinfo, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
