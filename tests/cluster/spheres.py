"""The tutorial's recipe in small pictures, and what its datasets hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from servers import ACCESS_KEY, ROOT, SECRET_KEY

from synth_api.resources.output import Output
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from harness.lab import Lab

    from synth_dataset.documents.manifest import Manifest
    from synth_dataset.store.base import Store

FILE: Final = ROOT / "recipes" / "spheres_sem.yaml"
NUMBER: Final = "blueprints.particles.Bead.number"
SEED: Final = "initial_runtime_state.seed"
GRAVITY: Final = "synth_chain.feature_generation_steps.5.gravity.2"
PERCENTAGE: Final = "+blueprints.measurement_techniques.SEM.features.resolution_percentage"
SMALL_PICTURE: Final = f"{PERCENTAGE}=10"
"""96x96 pixels."""


def recipe() -> dict[str, Any]:
    """The recipe as an object."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def bucket(lab: Lab) -> S3Store:
    """Where the lab's sweeps go."""
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    return S3Store(Output.model_validate(lab.output), environment=keys)


def manifests(store: Store) -> dict[str, Manifest]:
    """Run key -> manifest of every run that exists."""
    return {key: store.manifest(key) for key in tuple(store.keys())}


def labels(store: Store) -> dict[str, str]:
    """Run key -> label digest of every run that exists."""
    return {key: manifest.label_digest for key, manifest in manifests(store).items()}
