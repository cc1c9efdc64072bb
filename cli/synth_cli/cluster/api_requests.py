"""Requests to a Kubernetes API server; bodies are plain JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kubernetes.client import ApiClient, ApiException, Configuration
from urllib3 import disable_warnings
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from synth_api.redaction import register_credentials
from synth_cli.cluster.cluster_errors import to_connection_error, to_status_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubernetes.client.rest import RESTResponse

Tree = dict[str, Any]
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 30


class ApiRequests:
    """Requests to the API server of a configuration, each sent once.

    Every method raises InputError, ClusterError or AbsentError.
    """

    def __init__(self, configuration: Configuration) -> None:
        configuration.retries = False
        if not configuration.verify_ssl:
            disable_warnings(
                InsecureRequestWarning
            )  # the kubeconfig disables verification; kubectl does not warn either
        self._configuration = configuration
        self._client = ApiClient(configuration)

    @property
    def server(self) -> str:
        """Address of the API server, for messages."""
        return str(self._configuration.host)

    def get(self, path: str, **query: str) -> Tree:
        """Return an object, or a list of objects."""
        return self._request_json("GET", path, query)

    def patch(self, path: str, change: Tree) -> Tree:
        """Merge a change into an object (JSON merge patch); return the object."""
        return self._request_json("PATCH", path, {"fieldManager": "synth"}, change)

    def stream_lines(self, path: str, **query: str) -> Iterator[str]:
        """Yield lines of text as they arrive; those of a followed log end with its container."""
        seconds = None if query.get("follow") == "true" else _READ_SECONDS
        try:
            response = self._send("GET", path, query, seconds=seconds).response
            for line in response:
                yield line.decode(errors="replace").rstrip("\n")
        except HTTPError as error:
            raise to_connection_error(self.server, error) from None

    def _request_json(self, method: str, path: str, query: Mapping[str, str], body: Tree | None = None) -> Tree:
        try:
            tree: Tree = json.loads(self._send(method, path, query, body).read())
        except HTTPError as error:
            raise to_connection_error(self.server, error) from None
        return tree

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Tree | None = None,
        seconds: float | None = _READ_SECONDS,
    ) -> RESTResponse:
        headers = {"Accept": "application/json", "Content-Type": "application/merge-patch+json"}
        credential = self._configuration.get_api_key_with_prefix("authorization", "BearerToken")
        if credential:
            register_credentials(credential.split()[-1:])
            headers["Authorization"] = credential
        method, url, headers, _, _ = self._client.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers
        )
        try:
            response = self._client.call_api(method, url, headers, body, _request_timeout=(_CONNECT_SECONDS, seconds))
        except (ApiException, HTTPError, OSError) as error:
            raise to_connection_error(self.server, error) from None
        if response.status >= 300:
            raise to_status_error(self.server, response.status, response.read() or b"")
        return response
