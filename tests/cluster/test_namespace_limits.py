"""A tenant starts more sweeps than the limits of his namespace allow, next to an honest one in another namespace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from harness.operator_chart import LIMITED_NAMESPACE
from harness.sweep_namespace import SweepNamespace
from operators import Operators
from spheres import SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.reasons import Reason
from synth_api.resources.namespace_limits import REPORT_KEY, REPORT_NAME
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.node_store import NodeStore

NAMES: Final = [f"sweep-{letter}" for letter in "abcd"]
LIMIT: Final = 2
MAX_WRITES: Final = 12
"""Status writes of one small sweep that waits once."""


def start(namespace: SweepNamespace, *names: str) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    pod_template = namespace.apply_trial_engine("render_nothing")
    for name in names:
        namespace.apply_sweep(
            name,
            "spheres-sem",
            overrides=[SMALL_PICTURE, f"{SEED}=range(4)"],
            batchSize=2,
            parallelism=2,
            podTemplate=pod_template,
        )


@pytest.fixture
def limited(cluster: Cluster, store: NodeStore) -> SweepNamespace:
    namespace = SweepNamespace(cluster, store, LIMITED_NAMESPACE)
    namespace.create()
    return namespace


def test_what_is_over_the_limits_waits_in_order_of_age_and_others_are_unaffected(
    cluster: Cluster, limited: SweepNamespace, namespace: SweepNamespace
) -> None:
    start(limited, *NAMES)
    start(namespace, "honest")

    last = limited.wait_for_status(
        NAMES[-1], lambda status: find_ready_reason(status) is Reason.LIMITED, "the last sweep is not Limited"
    )
    assert last.phase is Phase.WAITING
    assert find_ready_message(last) == (
        "The limit of this namespace, 2 sweeps at work, is reached; sweeps go on in order of age."
    )
    assert not limited.list_jobs(NAMES[-1])
    assert namespace.wait_for_end("honest").phase is Phase.COMPLETE

    wait_until(lambda: REPORT_NAME in limited.kubectl("get", "configmaps"), "no report of the limits")
    report = json.loads(limited.cluster.get_object("configmap", REPORT_NAME, limited.name)["data"][REPORT_KEY])
    assert (report["limits"]["sweeps"], report["limits"]["pods"]) == (LIMIT, 3)

    ends = [limited.wait_for_end(name) for name in NAMES]
    assert {status.phase for status in ends} == {Phase.COMPLETE}
    starts = [status.start_time for status in ends if status.start_time]
    assert starts == sorted(starts)
    for begin in starts:
        at_work = [s for s in ends if s.start_time and s.completion_time and s.start_time <= begin < s.completion_time]
        assert len(at_work) <= LIMIT
    calls = [call for call in Operators(cluster).read_calls() if call.namespace == limited.name]
    writes = [call.name for call in calls if call.resource == "synthsweeps/status"]
    assert max(writes.count(name) for name in NAMES) <= MAX_WRITES
