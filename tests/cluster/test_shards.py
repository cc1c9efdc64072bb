"""Sweeps whose runs are packed: a pod is killed, another sweep shares runs, and one is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from harness.faults import kill_processes
from spheres import FILE, NUMBER, SEED, SMALL_PICTURE, load_recipe, open_bucket, read_label_digests
from waiting import wait_until

from synth_api.resources.synth_sweep import Phase
from synth_cli.main import run
from synth_dataset.documents import layout
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from pathlib import Path

    from harness.sweep_namespace import SweepNamespace

PATIENCE: Final = 300
"""Seconds that suffice on a busy machine."""


def list_overrides(seeds: int) -> list[str]:
    return [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range({seeds})"]


@pytest.fixture(scope="module")
def expected_labels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run key -> label digest of six runs, rendered locally and packed."""
    folder: Path = tmp_path_factory.mktemp("laptop")
    assert run(["render", str(FILE), *list_overrides(6), "--out", str(folder), "--packaging=shards"]) == 0
    return read_label_digests(FolderStore(folder))


def list_files(namespace: SweepNamespace, folder: str) -> list[str]:
    return list(open_bucket(namespace).iterate_files(folder))


def test_packed_runs_survive_a_killed_pod_and_are_shared_with_another_sweep(
    namespace: SweepNamespace, expected_labels: dict[str, str]
) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(
        "packed", "spheres-sem", overrides=list_overrides(4), parallelism=1, batchSize=2, packaging="shards"
    )
    running: list[str] = []

    def find_pod() -> bool:
        running[:] = namespace.list_running_pods("packed")
        return bool(running)

    wait_until(find_pod, lambda: f"no worker; {namespace.describe_sweep('packed')}", PATIENCE)
    kill_processes(namespace.cluster, running[0])
    status = namespace.wait_for_end("packed")
    assert (status.phase, status.runs.existing, status.runs.failed) == (Phase.COMPLETE, 4, 0), namespace.describe_sweep(
        "packed"
    )
    shards = list_files(namespace, layout.SHARDS)
    assert len(shards) == 4, "a tar file and an index per batch"
    assert [*list_files(namespace, layout.RUNS), *list_files(namespace, layout.MANIFESTS)] == []

    namespace.apply_sweep("mixed", "spheres-sem", overrides=list_overrides(6), parallelism=1, batchSize=2)
    status = namespace.wait_for_end("mixed")
    assert (status.phase, status.runs.cached, status.runs.succeeded) == (Phase.COMPLETE, 4, 2)
    assert list_files(namespace, layout.SHARDS) == shards
    assert len(list_files(namespace, layout.MANIFESTS)) == 2
    assert read_label_digests(open_bucket(namespace)) == expected_labels
