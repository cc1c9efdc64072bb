import json

import pytest

from synth_api.errors import InputError
from synth_cli.cluster.cluster_errors import AbsentError, ClusterError, to_status_error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, InputError),
        (403, InputError),
        (404, AbsentError),
        (409, InputError),
        (422, InputError),
        (429, ClusterError),
        (500, ClusterError),
        (503, ClusterError),
    ],
)
def test_only_a_busy_cluster_is_worth_another_try(status: int, kind: type[Exception]) -> None:
    error = to_status_error("https://cluster", status, json.dumps({"message": "too many requests"}).encode())
    assert type(error) is kind
