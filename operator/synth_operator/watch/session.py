"""HTTP session of kopf: current credentials in every request, and callbacks for pages of lists and ends of watches."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import aiohttp
import kopf

from synth_operator.kube.client import USER_AGENT, read_authorization

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubernetes import client


def open_session(
    connection: client.Configuration, on_watch_end: Callable[[str], None], on_page: Callable[[str, bool, bytes], None]
) -> kopf.AiohttpSession:
    """Return a session that calls back, with the path of the list, at each page of a list and when a watch ended.

    A page comes with whether it is the first one, and its JSON. kopf reads it afterwards.

    Only an end by the API counts; a watch that kopf closes is none.
    """

    async def observe(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        credential = read_authorization(connection)
        if credential:
            request.headers["Authorization"] = credential
        response = await send(request)
        path, query = request.url.path, request.url.query
        if response.status == 200 and "watch" in query:
            response.content.on_eof(lambda: on_watch_end(path))
        elif response.status == 200:
            on_page(path, "continue" not in query, await response.read())
        return response

    # kopf closes watches in mid-stream. Without the cleanup their connections wait for the server to end TLS, for ever
    # if the event loop ends first.
    connector = aiohttp.TCPConnector(limit=0, ssl=_build_tls_context(connection), enable_cleanup_closed=True)
    headers = {"User-Agent": USER_AGENT}
    http_session = aiohttp.ClientSession(connector=connector, middlewares=(observe,), headers=headers)
    return kopf.AiohttpSession(server=connection.host, aiohttp_session=http_session)


def _build_tls_context(connection: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=connection.ssl_ca_cert)
    if connection.cert_file:
        context.load_cert_chain(connection.cert_file, connection.key_file)
    if not connection.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
