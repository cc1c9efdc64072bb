import pytest

from synth_operator.kube.api import Resource
from synth_operator.kube.fencing import FencedApi
from synth_operator.kube.leader_election import NotLeadingError


class LostLeadership:
    def ensure_leading(self) -> None:
        raise NotLeadingError


class NoApi:
    """Fails the test at any request."""


WRITES = {
    "create": lambda api: api.create(Resource.JOBS, "lab", {}),
    "patch": lambda api: api.patch(Resource.JOBS, "lab", "j", {}),
    "replace_status": lambda api: api.replace_status(Resource.SWEEPS, "lab", "s", {}),
    "delete": lambda api: api.delete(Resource.JOBS, "lab", "j"),
}


@pytest.mark.parametrize("write", WRITES)
def test_without_the_lease_no_write_is_sent(write: str) -> None:
    with pytest.raises(NotLeadingError):
        WRITES[write](FencedApi(NoApi(), LostLeadership()))  # type: ignore[arg-type]
