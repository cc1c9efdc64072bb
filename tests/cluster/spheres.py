"""The tutorial's recipe with small pictures, and the runs of its datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from servers import ACCESS_KEY, ROOT, SECRET_KEY

from synth_api.resources.output import Output
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

FILE: Final = ROOT / "recipes" / "spheres_sem.yaml"
NUMBER: Final = "blueprints.particles.Bead.number"
SEED: Final = "initial_runtime_state.seed"
GRAVITY: Final = "synth_chain.feature_generation_steps.5.gravity.2"
PERCENTAGE: Final = "+blueprints.measurement_techniques.SEM.features.resolution_percentage"
SMALL_PICTURE: Final = f"{PERCENTAGE}=10"
"""96x96 pixels."""


def load_recipe() -> dict[str, Any]:
    """Return the tree of the recipe."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def open_bucket(namespace: SweepNamespace) -> S3Store:
    """Open the output of a namespace's sweeps as a store."""
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    return S3Store(Output.model_validate(namespace.output), environment=keys)


def read_manifests(store: Store) -> dict[str, Manifest]:
    """Return run key -> manifest of all runs."""
    return {key: store.read_manifest(key) for key in tuple(store.iterate_keys())}


def read_label_digests(store: Store) -> dict[str, str]:
    """Return run key -> label digest of all runs."""
    return {key: manifest.label_digest for key, manifest in read_manifests(store).items()}
