"""HTTP session of kopf: current credentials in every request, and pages and events that go to the cache, not to kopf.

kopf lists, watches, reconnects and repeats, for which it reads resource versions only. Of an object that it reads it
makes a task, a queue and several copies: that took more than half of the operator's processor time.
"""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

import aiohttp
import kopf

from synth_operator.kube.client import USER_AGENT, read_authorization

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from kubernetes import client

    from synth_operator.kube.api import JsonObject


class Listener(Protocol):
    """Receiver of what the API sends to kopf; `path` is that of the list."""

    def read_page(self, path: str, is_first: bool, page: bytes) -> JsonObject | None:
        """Take a page of a list; return what kopf is to read instead, or None for no page of a watched list."""

    def read_event(self, path: str, kind: str, body: JsonObject) -> None:
        """Take an event of a watch: `ADDED`, `MODIFIED` or `DELETED`, and the object."""

    def record_end(self, path: str) -> None:
        """Record that the API ended a watch; one that kopf closes is none."""


def open_session(connection: client.Configuration, listener: Listener) -> kopf.AiohttpSession:
    """Return a session whose pages, events and ends of watches the listener takes."""

    async def observe(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        credential = read_authorization(connection)
        if credential:
            request.headers["Authorization"] = credential
        response = await send(request)
        path, query = request.url.path, request.url.query
        if response.status == 200 and "watch" in query:
            response.content.on_eof(lambda: listener.record_end(path))
            response.content = cast("aiohttp.StreamReader", _replace_events(response.content, listener, path))
        elif response.status == 200:
            page = listener.read_page(path, "continue" not in query, await response.read())
            cast("_Response", response).remainder = page
        return response

    # kopf closes watches in mid-stream. Without the cleanup their connections wait for the server to end TLS, for ever
    # if the event loop ends first.
    connector = aiohttp.TCPConnector(limit=0, ssl=_build_tls_context(connection), enable_cleanup_closed=True)
    http_session = aiohttp.ClientSession(
        connector=connector, middlewares=(observe,), headers={"User-Agent": USER_AGENT}, response_class=_Response
    )
    return kopf.AiohttpSession(server=connection.host, aiohttp_session=http_session)


class _Response(aiohttp.ClientResponse):
    """Response whose page of a list is taken."""

    remainder: JsonObject | None = None
    """What is left of the page for kopf."""

    async def json(self, **options: Any) -> Any:
        return await super().json(**options) if self.remainder is None else self.remainder


@dataclass(frozen=True)
class _Content:
    """The parts of a response's content that kopf and aiohttp use."""

    iter_chunked: Callable[[int], AsyncIterator[bytes]]
    exception: Callable[[], BaseException | None]
    set_exception: Callable[..., None]


def _replace_events(content: aiohttp.StreamReader, listener: Listener, path: str) -> _Content:
    """Return the content of a watch without its events: kopf reads the versions until which they are taken."""
    return _Content(partial(_take_events, content, listener, path), content.exception, content.set_exception)


async def _take_events(content: aiohttp.StreamReader, listener: Listener, path: str, size: int) -> AsyncIterator[bytes]:
    """Yield the lines of a watch, with bookmarks in place of the events that the listener took."""
    rest = b""
    async for data in content.iter_chunked(size):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield _take_event(line, listener, path) + b"\n"
    yield rest


def _take_event(line: bytes, listener: Listener, path: str) -> bytes:
    event = json.loads(line) if line else {}
    if event.get("type") not in ("ADDED", "MODIFIED", "DELETED"):
        return line
    listener.read_event(path, event["type"], event["object"])
    metadata = {"resourceVersion": event["object"]["metadata"]["resourceVersion"]}
    return json.dumps({"type": "BOOKMARK", "object": {"metadata": metadata}}).encode()


def _build_tls_context(connection: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=connection.ssl_ca_cert)
    if connection.cert_file:
        context.load_cert_chain(connection.cert_file, connection.key_file)
    if not connection.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
