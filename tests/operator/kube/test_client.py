import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from kubernetes import client

from synth_operator.kube.api import ApiError, Resource
from synth_operator.kube.client import KubernetesApi

Call = tuple[str, str, int | None]


class Server(ThreadingHTTPServer):
    """Server that answers every request with `answer` and records the requests."""

    answer: tuple[int, bytes] = (200, b"{}")
    asked: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(
            {
                "line": f"{self.command} {self.path}",
                "type": self.headers.get("Content-Type"),
                "token": self.headers.get("Authorization"),
                "body": json.loads(body) if body else None,
            }
        )
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def connection(server: Server) -> client.Configuration:
    connection = client.Configuration(host=f"http://127.0.0.1:{server.server_address[1]}")
    connection.retries = False
    return connection


@pytest.fixture
def api(connection: client.Configuration, calls: list[Call]) -> Iterator[KubernetesApi]:
    api = KubernetesApi(connection, lambda *call: calls.append(call))
    yield api
    api.close()


def refuse(server: Server, code: int, reason: str, **more: object) -> None:
    server.answer = code, json.dumps({"kind": "Status", "reason": reason, "message": "so it is", **more}).encode()


def test_each_verb_is_one_request(api: KubernetesApi, server: Server, calls: list[Call]) -> None:
    api.create(Resource.JOBS, "lab", {"a": 1})
    api.read(Resource.LEASES, "synth", "op")
    api.patch(Resource.SWEEPS, "lab", "s", {"b": 2})
    api.delete(Resource.JOBS, "lab", "j", "u1")

    assert [asked["line"] for asked in server.asked] == [
        "POST /apis/batch/v1/namespaces/lab/jobs",
        "GET /apis/coordination.k8s.io/v1/namespaces/synth/leases/op",
        "PATCH /apis/synth-operator.io/v1alpha1/namespaces/lab/synthsweeps/s",
        "DELETE /apis/batch/v1/namespaces/lab/jobs/j",
    ]
    assert server.asked[0]["body"] == {"a": 1}
    assert (server.asked[2]["type"], server.asked[2]["body"]) == ("application/merge-patch+json", {"b": 2})
    assert server.asked[3]["body"] == {"propagationPolicy": "Background", "preconditions": {"uid": "u1"}}
    assert calls == [
        ("create", "jobs", 200),
        ("get", "leases", 200),
        ("patch", "synthsweeps", 200),
        ("delete", "jobs", 200),
    ]


def test_a_status_is_replaced_as_a_subresource_with_its_kind(
    api: KubernetesApi, server: Server, calls: list[Call]
) -> None:
    api.replace_status(Resource.SWEEPS, "lab", "s", {"status": {"phase": "Pending"}})

    asked = server.asked[0]
    assert asked["line"] == "PUT /apis/synth-operator.io/v1alpha1/namespaces/lab/synthsweeps/s/status"
    assert asked["body"]["kind"] == "SynthSweep"
    assert calls == [("update", "synthsweeps/status", 200)]


def test_objects_are_listed_by_selector(api: KubernetesApi, server: Server) -> None:
    server.answer = 200, b'{"items": [{"a": 1}]}'

    assert api.find(Resource.INPUTS, "lab", labels="synth-operator.io/sweep=s") == [{"a": 1}]
    assert server.asked[0]["line"] == "GET /api/v1/namespaces/lab/configmaps?labelSelector=synth-operator.io/sweep%3Ds"


def test_reading_a_missing_object_returns_none(api: KubernetesApi, server: Server) -> None:
    refuse(server, 404, "NotFound")

    assert api.read(Resource.LEASES, "synth", "op") is None


@pytest.mark.parametrize("code", [404, 409])
def test_deleting_a_missing_or_replaced_object_is_no_error(api: KubernetesApi, server: Server, code: int) -> None:
    refuse(server, code, "Whatever")

    api.delete(Resource.JOBS, "lab", "j", "u1")


def test_an_api_error_has_the_causes_of_its_details(api: KubernetesApi, server: Server) -> None:
    refuse(server, 403, "Forbidden", details={"causes": [{"reason": "NamespaceTerminating", "field": "x"}]})
    with pytest.raises(ApiError) as error:
        api.create(Resource.JOBS, "lab", {})
    assert error.value.causes == ("NamespaceTerminating",)


@pytest.mark.parametrize(("code", "reason"), [(409, "AlreadyExists"), (403, "Forbidden"), (422, "Invalid"), (500, "")])
def test_an_api_error_has_code_reason_and_message(api: KubernetesApi, server: Server, code: int, reason: str) -> None:
    refuse(server, code, reason)

    with pytest.raises(ApiError) as error:
        api.create(Resource.JOBS, "lab", {})
    assert (error.value.code, error.value.reason, error.value.message) == (code, reason, "so it is")


def test_an_answer_that_is_not_json_is_an_api_error(api: KubernetesApi, server: Server) -> None:
    server.answer = 502, b"<html>bad gateway</html>"

    with pytest.raises(ApiError, match="502"):
        api.read(Resource.LEASES, "synth", "op")


def test_an_api_error_without_an_answer_has_no_code(calls: list[Call], server: Server) -> None:
    connection = client.Configuration(host="http://127.0.0.1:9")
    connection.retries = False
    api = KubernetesApi(connection, lambda *call: calls.append(call))

    with pytest.raises(ApiError, match="the Kubernetes API does not answer") as error:
        api.create(Resource.JOBS, "lab", {})
    assert error.value.code is None
    assert calls == [("create", "jobs", None)]
    api.close()


def test_each_request_carries_the_current_token(
    api: KubernetesApi, connection: client.Configuration, server: Server
) -> None:
    connection.api_key["authorization"] = "bearer first"
    api.read(Resource.LEASES, "synth", "op")
    connection.api_key["authorization"] = "bearer second"
    api.read(Resource.LEASES, "synth", "op")

    assert [asked["token"] for asked in server.asked] == ["bearer first", "bearer second"]
