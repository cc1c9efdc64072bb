from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from synth_operator.health import HealthServer


@pytest.fixture
def problems() -> dict[str, str]:
    return {"/healthz": "", "/readyz": "not yet"}


@pytest.fixture
def server(problems: dict[str, str]) -> Iterator[HealthServer]:
    server = HealthServer(0, {path: lambda path=path: problems[path] for path in problems})  # type: ignore[misc]
    yield server
    server.close()


def ask(server: HealthServer, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def test_each_path_has_its_own_check(server: HealthServer) -> None:
    assert ask(server, "/healthz") == (200, "ok\n")
    assert ask(server, "/readyz") == (503, "not yet\n")


def test_each_request_runs_its_check(server: HealthServer, problems: dict[str, str]) -> None:
    problems["/healthz"] = "deaf"
    assert ask(server, "/healthz") == (503, "deaf\n")
    problems["/healthz"] = ""
    assert ask(server, "/healthz") == (200, "ok\n")


def test_other_paths_get_the_list_of_paths(server: HealthServer) -> None:
    assert ask(server, "/health") == (404, "unknown path; paths are /healthz, /readyz\n")
