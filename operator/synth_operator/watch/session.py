"""The connection on which kopf watches: the same credentials as all else, always fresh, and every answer is noticed."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import aiohttp
import kopf

from synth_operator.kube.client import AGENT, authorization

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubernetes import client


def session(
    connection: client.Configuration, watched: Callable[[str], None], listed: Callable[[str], None]
) -> kopf.AiohttpSession:
    """A session that says when a list was answered and when the API itself ended a watch, with the path of the list."""

    async def notice(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        credential = authorization(connection)
        if credential:
            request.headers["Authorization"] = credential
        response = await send(request)
        path, query = request.url.path, request.url.query
        if response.status == 200 and "watch" in query:
            response.content.on_eof(lambda: watched(path))
        elif response.status == 200 and "continue" not in query:
            listed(path)
        return response

    # kopf closes watches in the middle; without the clean-up their connections wait for the server's goodbye, for ever
    # when the event loop ends first.
    connector = aiohttp.TCPConnector(limit=0, ssl=_tls(connection), enable_cleanup_closed=True)
    headers = {"User-Agent": AGENT}
    chosen = aiohttp.ClientSession(connector=connector, middlewares=(notice,), headers=headers)
    return kopf.AiohttpSession(server=connection.host, aiohttp_session=chosen)


def _tls(connection: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=connection.ssl_ca_cert)
    if connection.cert_file:
        context.load_cert_chain(connection.cert_file, connection.key_file)
    if not connection.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
