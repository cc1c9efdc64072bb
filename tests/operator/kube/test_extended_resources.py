"""Every unit of an extended resource counts as a GPU, whatever its name."""

from __future__ import annotations

from typing import Any

import pytest

from synth_operator.kube.extended_resources import count_gpus


def container(**limits: Any) -> dict[str, Any]:
    return {
        "resources": {"limits": {name.replace("__", "/").replace("_", "."): value for name, value in limits.items()}}
    }


@pytest.mark.parametrize(
    ("spec", "gpus"),
    [
        ({"containers": [{}]}, 0),
        ({"containers": [container(cpu="4", memory="1Gi")]}, 0),
        ({"containers": [container(nvidia_com__gpu="2")]}, 2),
        ({"containers": [container(nvidia_com__gpu=1), container(amd_com__gpu="1")]}, 2),
        ({"containers": [container(node_kubernetes_io__x="3")]}, 0),
        ({"containers": [container(nvidia_com__gpu=1)], "initContainers": [container(nvidia_com__gpu=4)]}, 4),
        ({"containers": [container(nvidia_com__gpu="1k")]}, 1000),
        ({"containers": [container(nvidia_com__gpu="banana")]}, 0),
    ],
)
def test_units_are_counted(spec: dict[str, Any], gpus: int) -> None:
    assert count_gpus(spec) == gpus
