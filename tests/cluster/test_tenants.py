"""Two teams with one operator and its default output: neither reads, replaces nor inherits the other's runs."""

from __future__ import annotations

import json
from secrets import token_hex
from typing import TYPE_CHECKING, Final

import pytest
from harness.node_store import BUCKET
from harness.operator_chart import DEFAULT_PREFIX
from harness.sweep_namespace import SweepNamespace
from servers import ACCESS_KEY, SECRET_KEY, add_tenant
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe, read_label_digests

from synth_api.reasons import Reason
from synth_api.resources.default_output import join_prefix
from synth_api.resources.output import Output
from synth_api.resources.synth_sweep import Phase
from synth_dataset.store.s3_policy import build_policy
from synth_dataset.store.s3_store import S3Store
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

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


def test_poisoned_runs_do_not_leave_their_namespace(teams: list[SweepNamespace]) -> None:
    hostile, honest = teams
    template = hostile.apply_trial_engine("render_nothing")
    hostile.apply_sweep("poison", "spheres-sem", overrides=OVERRIDES, output=None, podTemplate=template)
    victim = {**hostile.output, "prefix": join_prefix(DEFAULT_PREFIX, honest.name)}
    hostile.apply_sweep("theft", "spheres-sem", overrides=OVERRIDES, output=victim, podTemplate=template)
    assert hostile.wait_for_end("poison").phase is Phase.COMPLETE
    honest.apply_sweep("spheres", "spheres-sem", overrides=OVERRIDES, output=None)
    hostile.wait_for_status(
        "theft", lambda status: find_ready_reason(status) is Reason.ACCESS_DENIED, "the other prefix is not denied"
    )
    status = honest.wait_for_end("spheres")

    assert (status.phase, status.runs.cached, status.runs.succeeded) == (Phase.COMPLETE, 0, 1)
    (key,) = poisoned = read_default_runs(hostile)
    assert poisoned == {key: POISON}
    assert read_default_runs(honest).keys() == {key}
    assert read_default_runs(honest)[key] != POISON


def test_a_sweep_does_not_tell_which_ports_are_open(namespace: SweepNamespace) -> None:
    """The API server, the kubelet and a closed port of the node get one sentence; the API server's name none at all."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    ports = {"api": 6443, "kubelet": 10250, "closed": 1}
    for name, port in ports.items():
        output = {**namespace.output, "endpoint": f"{namespace.cluster.node_address}:{port}"}
        namespace.apply_sweep(name, "spheres-sem", output=output)
    inside = {**namespace.output, "endpoint": "kubernetes.default.svc:443", "insecure": False}
    namespace.apply_sweep("inside", "spheres-sem", output=inside)

    namespace.wait_for_status("inside", lambda status: find_ready_reason(status) is Reason.NOT_ALLOWED, "it is allowed")
    found = {}
    for name, port in ports.items():
        status = namespace.wait_for_status(
            name, lambda status: find_ready_reason(status) is Reason.STORE_UNREACHABLE, "no StoreUnreachable"
        )
        (pod, *_) = namespace.list_pods(name, "plan")
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
        texts = (find_ready_message(status), json.loads(ended)["problem"]["message"])
        found[name] = tuple(text.replace(f":{port} ", ":PORT ") for text in texts)
    assert len(set(found.values())) == 1, found
