"""A sweep's budget on a cluster: it stops what the sweep may not spend, and what it rendered stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.sweep_namespace import SMALL_REQUESTS
from spheres import SEED, SMALL_PICTURE, load_recipe, open_bucket, read_manifests

from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message

if TYPE_CHECKING:
    from harness.sweep_namespace import SweepNamespace

NAME = "beads"


def test_a_sweep_stops_at_its_budget_and_goes_on_with_a_larger_one(namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(
        NAME,
        "spheres-sem",
        overrides=[SMALL_PICTURE, f"{SEED}=range(4)"],
        batchSize=1,
        budget={"runs": 2},
        podTemplate=namespace.apply_trial_engine("render_nothing"),
    )

    stopped = namespace.wait_for_end(NAME, seconds=180)
    kept = read_manifests(open_bucket(namespace))

    message = find_ready_message(stopped)
    assert stopped.phase is Phase.FAILED, namespace.describe_sweep(NAME)
    assert "runs are spent; budget.runs allows 2. Raise spec.budget to go on." in message
    assert 2 <= stopped.runs.existing == len(kept) < 4, "a pod that was starting may have ended its run"
    assert stopped.start_time
    assert stopped.spent_until
    seconds = (stopped.spent_until - stopped.start_time).total_seconds()
    assert 0 < stopped.spent.cpu_seconds <= seconds * float(SMALL_REQUESTS["cpu"].removesuffix("m")) / 1000
    assert not namespace.list_running_pods(NAME)
    assert stopped.forecast, "two batches have ended"
    head, row = namespace.kubectl("get", "synthsweep", NAME, "--output=wide").splitlines()
    assert row[head.index("GPU-HOURS") :].split()[0] == "0"

    namespace.patch_sweep(NAME, budget={"runs": 4}, retryToken="more")

    complete = namespace.wait_for_end(NAME, seconds=180)
    assert complete.phase is Phase.COMPLETE, namespace.describe_sweep(NAME)
    assert (complete.runs.cached, complete.runs.existing) == (len(kept), 4)
    assert complete.spent.runs == 4
    assert kept.items() <= read_manifests(open_bucket(namespace)).items(), "runs of the first attempt are as they were"
