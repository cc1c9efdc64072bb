"""Client of the Kubernetes API: one JSON request per call, without retries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import urllib3
from kubernetes import client, config

from synth_api.redaction import register_credentials
from synth_operator.kube.api import CONFLICT, NOT_FOUND, ApiError, JsonObject, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubernetes.client.rest import RESTResponse

_TIMEOUT: Final = (3, 5)
"""Seconds to connect and to wait for an answer: less than the 10 s within which a lease of 15 s must be renewed."""
USER_AGENT: Final = "synth-operator"
_CREDENTIAL: Final = ("authorization", "BearerToken")


def load_connection() -> client.Configuration:
    """Return the connection to the API: with the pod's service account, else with the kubeconfig.

    Raises:
        kubernetes.config.ConfigException: neither exists.
    """
    connection = client.Configuration()
    try:
        config.load_incluster_config(connection)
    except config.ConfigException:
        config.load_kube_config(client_configuration=connection)
    connection.retries = False
    return connection


def read_authorization(connection: client.Configuration) -> str | None:
    """Return the current Authorization header; the kubelet rotates service account tokens on disk."""
    header: str | None = connection.get_api_key_with_prefix(*_CREDENTIAL)
    if header:
        register_credentials(header.split()[-1:])
    return header


class KubernetesApi:
    """`Api` over the official client.

    `recorder` is called for each request with the verb, the resource as in a Role, and the HTTP status, None without an
    answer.
    """

    def __init__(
        self,
        connection: client.Configuration,
        recorder: Callable[[str, str, int | None], None] = lambda _verb, _resource, _code: None,
        connections: int = 4,
    ) -> None:
        connection.connection_pool_maxsize = connections
        self._connection = connection
        self._client = client.ApiClient(connection)
        self._client.user_agent = USER_AGENT
        self._recorder = recorder

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        """Create an object and return it."""
        return self._send("create", resource, resource.path(namespace), body)

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        """Return an object, or None if it does not exist."""
        try:
            return self._send("get", resource, resource.path(namespace, name))
        except ApiError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """List the objects that match the selectors."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        answer = self._send("list", resource, resource.path(namespace), query=query)
        items: list[JsonObject] = answer["items"]
        return items

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """Apply a JSON merge patch and return the object."""
        return self._send("patch", resource, resource.path(namespace, name), body)

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """Replace the status subresource and return the object."""
        whole = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return self._send("update", resource, resource.path(namespace, name, "status"), whole)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object in the background; one that does not exist, or has another uid, is no error."""
        options: JsonObject = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self._send("delete", resource, resource.path(namespace, name), options)
        except ApiError as error:
            if error.code not in (NOT_FOUND, CONFLICT):
                raise

    def _send(
        self,
        verb: str,
        resource: Resource,
        path: str,
        body: JsonObject | None = None,
        query: Mapping[str, str] | None = None,
    ) -> JsonObject:
        role_resource = f"{resource.plural}/status" if path.endswith("/status") else resource.plural
        try:
            response = self._request(verb, path, body, query or {})
            data = response.read()
        except (urllib3.exceptions.HTTPError, client.ApiException) as error:
            self._recorder(verb, role_resource, None)
            raise ApiError(None, type(error).__name__, f"the Kubernetes API does not answer: {error}") from error
        self._recorder(verb, role_resource, response.status)
        answer = _parse_answer(data)
        if response.status >= 300:
            causes = tuple(cause.get("reason", "") for cause in (answer.get("details") or {}).get("causes") or ())
            message = answer.get("message", response.reason or "")
            raise ApiError(response.status, answer.get("reason", ""), message, causes)
        return answer

    def _request(self, verb: str, path: str, body: JsonObject | None, query: Mapping[str, str]) -> RESTResponse:
        method, media = _METHODS[verb]
        headers = {"Accept": "application/json", "Content-Type": media}
        credential = read_authorization(self._connection)
        if credential:
            headers["Authorization"] = credential
        method, url, headers, _, _ = self._client.param_serialize(
            method, path, query_params=[(key, value) for key, value in query.items() if value], header_params=headers
        )
        return self._client.call_api(method, url, headers, body, _request_timeout=_TIMEOUT)


_METHODS: Final = {
    "create": ("POST", "application/json"),
    "get": ("GET", "application/json"),
    "list": ("GET", "application/json"),
    "update": ("PUT", "application/json"),
    "patch": ("PATCH", "application/merge-patch+json"),
    "delete": ("DELETE", "application/json"),
}


def _parse_answer(data: bytes) -> JsonObject:
    """Return the answer's JSON object; empty for anything else, since a proxy in between may answer in HTML."""
    try:
        tree = json.loads(data)
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}
