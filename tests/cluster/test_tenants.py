"""Two teams with one operator and its default output: neither reads, replaces nor inherits the other's runs."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Final

import pytest
from harness.node_store import BUCKET
from harness.operator_chart import DEFAULT_PREFIX
from harness.sweep_namespace import SweepNamespace
from servers import ACCESS_KEY, SECRET_KEY, add_tenant
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, read_label_digests

from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.default_output import join_prefix
from synth_api.resources.output import Output
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_dataset.store.s3_policy import build_policy
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.node_store import NodeStore

OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(7,8)"]
POISON: Final = f"{7:064x}"
"""Label digest of the empty run that the hostile engine writes."""


@pytest.fixture
def teams(cluster: Cluster, store: NodeStore) -> list[SweepNamespace]:
    """Two namespaces with the recipe, each with a key that has the policy of its namespace."""
    teams = [SweepNamespace(cluster, store, f"team-{token_hex(3)}") for _ in range(2)]
    for team in teams:
        team.create()
        policy = build_policy(BUCKET, [join_prefix(DEFAULT_PREFIX, team.name)])
        team.apply_secret(*add_tenant(store.endpoint, policy, team.name))
        team.apply_recipe("spheres-sem", load_recipe())
    return teams


def read_default_runs(team: SweepNamespace) -> dict[str, str]:
    """Return run key -> label digest of the runs in a team's folder of the default output."""
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    output = Output.model_validate({**team.output, "prefix": join_prefix(DEFAULT_PREFIX, team.name)})
    return read_label_digests(S3Store(output, environment=keys))


def is_denied(status: SweepStatus) -> bool:
    ready = next((each for each in status.conditions if each.type is ConditionType.READY), None)
    return ready is not None and ready.reason is Reason.ACCESS_DENIED


def test_poisoned_runs_do_not_leave_their_namespace(teams: list[SweepNamespace]) -> None:
    hostile, honest = teams
    template = hostile.apply_trial_engine("render_nothing")
    hostile.apply_sweep("poison", "spheres-sem", overrides=OVERRIDES, output=None, podTemplate=template)
    victim = {**hostile.output, "prefix": join_prefix(DEFAULT_PREFIX, honest.name)}
    hostile.apply_sweep("theft", "spheres-sem", overrides=OVERRIDES, output=victim, podTemplate=template)
    assert hostile.wait_for_end("poison").phase is Phase.COMPLETE
    honest.apply_sweep("spheres", "spheres-sem", overrides=OVERRIDES, output=None)
    hostile.wait_for_status("theft", is_denied, "the other team's prefix is not denied")
    status = honest.wait_for_end("spheres")

    assert (status.phase, status.runs.cached, status.runs.succeeded) == (Phase.COMPLETE, 0, 1)
    (key,) = poisoned = read_default_runs(hostile)
    assert poisoned == {key: POISON}
    assert read_default_runs(honest).keys() == {key}
    assert read_default_runs(honest)[key] != POISON
