"""Owner of Jobs and ConfigMaps: a SynthSweep or a SynthDataset, named by a label of its own kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.jobs.names import DATASET_LABEL, SWEEP_LABEL
from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.sweep_object import SweepObject

if TYPE_CHECKING:
    from collections.abc import Mapping

Owner = SweepObject | DatasetObject

OWNER_LABELS: Final = {Resource.SWEEPS: SWEEP_LABEL, Resource.DATASETS: DATASET_LABEL}
"""Label with the name of the owner, on its Jobs, their pods and its ConfigMaps."""


_DATASET: Final = "dataset/"


def name_owner(resource: Resource, name: str) -> str:
    """Return the word for an owner among those of its namespace: the name of a sweep, or `dataset/NAME`."""
    return f"{_DATASET}{name}" if resource is Resource.DATASETS else name


def parse_owner(word: str) -> tuple[Resource, str]:
    """Return kind and name of the owner that a word means."""
    name = word.removeprefix(_DATASET)
    return (Resource.SWEEPS if name == word else Resource.DATASETS), name


def find_labelled_owner(labels: Mapping[str, str]) -> tuple[Resource, str] | None:
    """Return kind and name of the owner that labels name; None for an object of somebody else."""
    return next(((resource, labels[label]) for resource, label in OWNER_LABELS.items() if label in labels), None)
