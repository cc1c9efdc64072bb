from collections.abc import Callable
from typing import Any

import pytest

from synth_api.resources.output import Output
from synth_operator.configuration import Configuration
from synth_operator.kube.sweep_object import SweepObject

LEAST: dict[str, Any] = {
    "operatorImage": "lab/synth-operator:1",
    "rendererImage": "lab/synth-renderer:1",
    "lease": {"namespace": "synth"},
}
STORE: dict[str, Any] = {"endpoint": "store:9000", "bucket": "bucket", "secretRef": {"name": "store"}}


@pytest.fixture
def configuration() -> Configuration:
    return Configuration.from_tree(LEAST)


@pytest.fixture
def output() -> Output:
    return Output.model_validate(STORE)


@pytest.fixture
def sweep() -> Callable[..., SweepObject]:
    """Return a function that makes a sweep from fields of its spec."""

    def make(name: str = "beads", **spec: Any) -> SweepObject:
        metadata = {"namespace": "lab", "name": name, "uid": "uid-1", "resourceVersion": "1", "generation": 1}
        return SweepObject.from_json({"metadata": metadata, "spec": {"recipeRef": {"name": "beads"}, **spec}})

    return make
