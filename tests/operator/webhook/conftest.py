"""Fixtures: writes of sweeps and recipes as the API server describes them, and one webhook configuration."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from synth_operator.kube.api import CONFLICT, ApiError, JsonObject, Resource


class OneConfiguration:
    """API with one ValidatingWebhookConfiguration that checks resource versions as the server does."""

    def __init__(self) -> None:
        client: JsonObject = {"service": {"name": "synth-webhook", "namespace": "synth"}}
        self.body: JsonObject | None = {
            "metadata": {"name": "synth", "resourceVersion": "1"},
            "webhooks": [{"name": "validate.synth-operator.io", "clientConfig": client, "failurePolicy": "Ignore"}],
        }
        self.writes = 0

    @property
    def client(self) -> dict[str, Any]:
        assert self.body is not None
        target: dict[str, Any] = self.body["webhooks"][0]["clientConfig"]
        return target

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        assert (resource, namespace, name) == (Resource.WEBHOOKS, "", "synth")
        return copy.deepcopy(self.body)

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        assert self.body is not None
        if body["metadata"]["resourceVersion"] != self.body["metadata"]["resourceVersion"]:
            raise ApiError(CONFLICT, "Conflict", "it has changed")
        self.writes += 1
        version = str(int(self.body["metadata"]["resourceVersion"]) + 1)
        self.body = {"metadata": {"name": name, "resourceVersion": version}, "webhooks": body["webhooks"]}
        return copy.deepcopy(self.body)

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        raise AssertionError("the chart creates the configuration")

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        raise AssertionError("one object is read by its name")

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        raise AssertionError("a webhook configuration has no status")

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        raise AssertionError("the chart deletes the configuration")


@pytest.fixture
def api() -> OneConfiguration:
    return OneConfiguration()
