"""Sweeps on a real Kubernetes, from `kubectl apply` to labels that equal a laptop's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from servers import ACCESS_KEY, ROOT, SECRET_KEY

from synth_api.resources.output import Output
from synth_api.resources.sweep import Phase
from synth_cli.main import run
from synth_dataset.folder_store import FolderStore
from synth_dataset.s3_store import S3Store

if TYPE_CHECKING:
    from harness.lab import Lab

    from synth_dataset.store import Store

RECIPE = ROOT / "recipes" / "spheres_sem.yaml"
SMALL_PICTURE = "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10"
NUMBERS = "blueprints.particles.Bead.number=2,4"
GRAVITY = "synth_chain.feature_generation_steps.5.gravity.2=-100,-10000"
SEEDS = "initial_runtime_state.seed=range({})"


def arguments(seeds: int) -> list[str]:
    return [SMALL_PICTURE, NUMBERS, SEEDS.format(seeds), GRAVITY]


def tree() -> dict[str, Any]:
    return dict(yaml.safe_load(RECIPE.read_text()))


def bucket(lab: Lab) -> S3Store:
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    return S3Store(Output.model_validate(lab.output), environment=keys)


def labels(store: Store) -> dict[str, str]:
    return {key: store.manifest(key).label_digest for key in tuple(store.keys())}


def test_a_sweep_completes_with_the_labels_of_a_laptop_and_five_more_seeds_render_only_themselves(
    lab: Lab, tmp_path: Path
) -> None:
    lab.recipe("spheres-sem", tree())
    lab.sweep("small", "spheres-sem", overrides=arguments(3), parallelism=2)

    status = lab.finished("small")

    assert status.phase is Phase.COMPLETE
    assert (status.runs.total, status.runs.cached, status.runs.succeeded, status.runs.failed) == (12, 0, 12, 0)
    assert status.dataset.startswith(f"s3://datasets/{lab.namespace}/sweeps/{lab.namespace}/small/")
    assert run(["render", str(RECIPE), *arguments(3), "--out", str(tmp_path)]) == 0
    assert labels(bucket(lab)) == labels(FolderStore(tmp_path))

    lab.sweep("small", "spheres-sem", overrides=arguments(4), parallelism=2)
    status = lab.finished("small")

    assert (status.runs.total, status.runs.cached, status.runs.succeeded) == (16, 12, 4)


def test_what_fails_is_named_and_a_new_retry_token_tries_only_that(lab: Lab) -> None:
    lab.recipe("spheres-sem", tree())
    overrides = [SMALL_PICTURE, "blueprints.particles.Bead.number=2,9000", SEEDS.format(2)]
    lab.sweep("failing", "spheres-sem", overrides=overrides, maxFailedRuns="100%")

    status = lab.finished("failing")

    assert status.phase is Phase.COMPLETE
    assert (status.runs.succeeded, status.runs.failed) == (2, 2)
    assert {failure.overrides["blueprints.particles.Bead.number"] for failure in status.failures} == {9000}
    first = status.attempt
    lab.patch("failing", retryToken="again")
    status = lab.finished("failing")

    assert status.attempt != first
    assert (status.runs.cached, status.runs.failed) == (2, 2)


def test_too_many_failed_runs_end_a_sweep_as_failed_and_kstatus_says_so(lab: Lab) -> None:
    lab.recipe("spheres-sem", tree())
    lab.sweep("failing", "spheres-sem", overrides=[SMALL_PICTURE, "blueprints.particles.Bead.number=9000"])

    status = lab.finished("failing")

    assert status.phase is Phase.FAILED
    assert {str(condition.type): condition.status for condition in status.conditions}["Stalled"] == "True"


def test_a_suspended_sweep_keeps_what_is_finished_and_goes_on_from_there(lab: Lab) -> None:
    lab.recipe("spheres-sem", tree())
    lab.sweep("pausing", "spheres-sem", overrides=arguments(6), batchSize=4)
    lab.until("pausing", lambda status: status.runs.active > 0, "no render pod came up")

    lab.patch("pausing", suspend=True)
    lab.until("pausing", lambda status: status.phase is Phase.SUSPENDED, "it was not suspended")
    lab.until("pausing", lambda _: not lab.pods("pausing", "render"), "its pods went on")
    kept = set(bucket(lab).keys())
    lab.patch("pausing", suspend=False)
    status = lab.finished("pausing")

    assert (status.runs.total, status.runs.succeeded) == (24, 24)
    assert kept <= set(bucket(lab).keys())


def test_a_deleted_sweep_leaves_or_takes_its_outputs_as_it_says(lab: Lab) -> None:
    lab.recipe("spheres-sem", tree())
    small = [SMALL_PICTURE, "blueprints.particles.Bead.number=2"]
    lab.sweep("kept", "spheres-sem", overrides=small)
    assert lab.finished("kept").phase is Phase.COMPLETE
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthsweep", "kept", "--timeout=60s")
    assert len(list(bucket(lab).keys())) == 1

    lab.sweep("gone", "spheres-sem", overrides=[*small, SEEDS.format(2)], deletionPolicy="Delete")
    assert lab.finished("gone").phase is Phase.COMPLETE
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthsweep", "gone", "--timeout=120s")

    assert not list(bucket(lab).files(f"sweeps/{lab.namespace}/gone"))
