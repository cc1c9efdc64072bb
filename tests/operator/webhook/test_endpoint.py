"""The server: who may ask, and what it answers."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from synth_operator.kube.api import ApiError
from synth_operator.webhook.admission_review import AdmissionRequest, Verdict
from synth_operator.webhook.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Review = Callable[[AdmissionRequest], Awaitable[Verdict]]

PATH = "/5ec4e7"


def build_document(namespace: str = "lab", **spec: Any) -> dict[str, Any]:
    new = {"metadata": {"name": "s"}, "spec": spec}
    return {"uid": "u", "kind": {"kind": "SynthSweep"}, "operation": "CREATE", "namespace": namespace, "object": new}


def build_review(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": build_document(**spec)}


async def refuse(request: AdmissionRequest) -> Verdict:
    return Verdict(f"nothing named {request.object['metadata']['name']}", ("look",))


async def ask(path: str, content: bytes, served: str = PATH, review: Review = refuse) -> tuple[int, str]:
    endpoint = Endpoint(review)
    endpoint.path = served
    async with TestClient(TestServer(endpoint.build_application())) as client:
        answer = await client.post(path, data=io.BytesIO(content))
        return answer.status, await answer.text()


def test_the_api_server_gets_a_verdict() -> None:
    status, text = asyncio.run(ask(PATH, json.dumps(build_review()).encode()))

    assert status == 200
    assert json.loads(text) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": "u",
            "allowed": False,
            "status": {"code": 422, "reason": "Invalid", "message": "nothing named s"},
            "warnings": ["look"],
        },
    }


@pytest.mark.parametrize(("path", "served"), [("/", PATH), ("/5ec4e8", PATH), ("/", ""), (PATH, "")])
def test_nobody_else_may_ask_about_recipes_of_other_namespaces(path: str, served: str) -> None:
    assert asyncio.run(ask(path, json.dumps(build_review()).encode(), served))[0] == 404


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff", b'{"request": {"uid": 1}}'])
def test_what_is_no_review_is_refused(content: bytes) -> None:
    assert asyncio.run(ask(PATH, content))[0] == 400


def test_what_is_larger_than_any_object_is_not_read() -> None:
    assert asyncio.run(ask(PATH, b"x" * (9 << 20)))[0] == 413


def test_without_the_recipe_the_failure_policy_decides() -> None:
    async def fail(_: AdmissionRequest) -> Verdict:
        raise ApiError(None, "", "the Kubernetes API does not answer")

    assert asyncio.run(ask(PATH, json.dumps(build_review()).encode(), review=fail)) == (
        503,
        "the recipe of the sweep cannot be read now\n",
    )


def test_a_replica_is_ready_once_the_api_server_knows_it() -> None:
    async def probe() -> list[int]:
        endpoint = Endpoint(refuse)
        async with TestClient(TestServer(endpoint.build_application())) as client:
            found = [(await client.get(f"/{name}")).status for name in ("healthz", "readyz")]
            endpoint.path = PATH
            return [*found, (await client.get("/readyz")).status]

    assert asyncio.run(probe()) == [200, 503, 200]
