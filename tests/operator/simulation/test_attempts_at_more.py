"""A tenant who wants more than the platform allows gets one sentence that names the field, and no Job."""

import pytest
from overlay_attempts import ATTEMPTS
from simulated_cluster.simulation import SimulatedCluster

from synth_operator.kube.api import Resource


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_at_more_makes_no_job(attempt: str) -> None:
    spec, field = ATTEMPTS[attempt]
    cluster = SimulatedCluster(**spec)

    cluster.run_for(3)

    assert f"spec.{field}" in cluster.ready
    assert cluster.ready.startswith(("NotAllowed", "PodTemplateInvalid"))
    assert not cluster.api.list_all(Resource.JOBS)
