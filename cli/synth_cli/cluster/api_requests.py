"""Requests to an API server: plain JSON in and out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kubernetes.client import ApiClient, ApiException, Configuration
from urllib3 import disable_warnings
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from synth_api.redaction import register_credentials
from synth_cli.cluster.cluster_errors import refusal, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubernetes.client.rest import RESTResponse

Tree = dict[str, Any]
_CONNECT: Final = 5
_ANSWER: Final = 30


class ApiRequests:
    """An API server as a configuration reaches it, each request tried once.

    Every method raises InputError, ClusterError or AbsentError.
    """

    def __init__(self, configuration: Configuration) -> None:
        configuration.retries = False
        if not configuration.verify_ssl:
            disable_warnings(InsecureRequestWarning)  # the kubeconfig asks for it, as kubectl accepts it
        self._configuration = configuration
        self._client = ApiClient(configuration)

    @property
    def server(self) -> str:
        """Its address."""
        return str(self._configuration.host)

    def get(self, path: str, **query: str) -> Tree:
        """An object, or a list of them."""
        return self._json("GET", path, query)

    def merge(self, path: str, change: Tree) -> Tree:
        """Merge a change into an object."""
        return self._json("PATCH", path, {"fieldManager": "synth"}, change)

    def lines(self, path: str, **query: str) -> Iterator[str]:
        """Lines of text, as they come; those of a log that is followed never end by themselves."""
        seconds = None if query.get("follow") == "true" else _ANSWER
        try:
            response = self._send("GET", path, query, seconds=seconds).response
            for line in response:
                yield line.decode(errors="replace").rstrip("\n")
        except HTTPError as error:
            raise unreachable(self.server, error) from None

    def _json(self, method: str, path: str, query: Mapping[str, str], body: Tree | None = None) -> Tree:
        try:
            tree: Tree = json.loads(self._send(method, path, query, body).read())
        except HTTPError as error:
            raise unreachable(self.server, error) from None
        return tree

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Tree | None = None,
        seconds: float | None = _ANSWER,
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
            response = self._client.call_api(method, url, headers, body, _request_timeout=(_CONNECT, seconds))
        except (ApiException, HTTPError, OSError) as error:
            raise unreachable(self.server, error) from None
        if response.status >= 300:
            raise refusal(self.server, response.status, response.read() or b"")
        return response
