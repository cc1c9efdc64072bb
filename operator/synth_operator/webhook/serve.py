"""The webhook's process: command line, TLS server, and a certificate that is always valid."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from synth_api.exit_codes import ExitCode
from synth_operator.checks.pool import CheckPool
from synth_operator.configuration import Configuration
from synth_operator.kube.api import ApiError
from synth_operator.kube.client import KubernetesApi, load_connection
from synth_operator.logs import start_logging
from synth_operator.webhook.certificates import Certificates, MountedCertificates, OwnCertificates
from synth_operator.webhook.endpoint import Endpoint
from synth_operator.webhook.registration import Registration
from synth_operator.webhook.reviewer import Reviewer
from synth_operator.webhook.tls import ServerContext

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence

log = logging.getLogger(__name__)

_REFRESH_SECONDS: Final = 60.0
"""Interval at which the certificate, and that the API server trusts it, are checked."""
_RETRY_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Options:
    """Command line of the webhook."""

    config: Path
    name: str
    """ValidatingWebhookConfiguration through which the API server asks."""
    host: tuple[str, ...]
    """DNS names at which the API server asks."""
    certificates: Path | None
    """Folder with `tls.crt` and `tls.key`; None: the webhook signs its own."""
    port: int
    replica: str
    """Name of this replica."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    options = parse_options(arguments)
    configuration = start_logging(options.config)
    if configuration is None:
        return int(ExitCode.BAD_INPUT)
    asyncio.run(_run(options, configuration))
    return 0


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="synth-operator-webhook", description="Refuses invalid recipes and sweeps.")
    parser.add_argument("--config", type=Path, required=True, help="YAML file with the operator's configuration")
    parser.add_argument("--name", required=True, help="name of the ValidatingWebhookConfiguration")
    parser.add_argument("--host", action="append", required=True, help="DNS name at which the API server asks")
    parser.add_argument(
        "--certificates", type=Path, help="folder with tls.crt and tls.key; by default it signs its own"
    )
    parser.add_argument("--port", type=int, default=9443, help="port of the server")
    parser.add_argument(
        "--replica", default=socket.gethostname()[:64], help="name of this replica; its host's by default"
    )
    options = vars(parser.parse_args(arguments))
    return Options(**{**options, "host": tuple(options["host"])})


async def _run(options: Options, configuration: Configuration) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    api, pool, server = KubernetesApi(load_connection()), CheckPool(), ServerContext()
    reviewer = Reviewer(api, pool, configuration)
    endpoint = Endpoint(reviewer.review)
    certificates = build_certificates(options, Registration(api, options.name, options.replica))
    try:
        async with _serve_requests(endpoint, options.port, server.context):
            await reviewer.start_processes()
            while not stop.is_set():
                delay = await _refresh(certificates, server, endpoint)
                await _wait(stop, delay)
    finally:
        pool.close()


def build_certificates(options: Options, registration: Registration) -> Certificates:
    """Return the source of certificates that the command line names."""
    if options.certificates:
        return MountedCertificates(registration, options.certificates)
    return OwnCertificates(registration, options.replica, options.host)


@asynccontextmanager
async def _serve_requests(endpoint: Endpoint, port: int, context: ssl.SSLContext) -> AsyncIterator[None]:
    # A request that the API server has given up ends here too, instead of waiting for its turn.
    runner = web.AppRunner(endpoint.build_application(), access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port, ssl_context=context).start()
        yield
    finally:
        await runner.cleanup()


async def _refresh(certificates: Certificates, server: ServerContext, endpoint: Endpoint) -> float:
    """Serve a valid certificate at the right path; return the seconds until the next time."""
    try:
        identity = await asyncio.to_thread(certificates.refresh)
        server.load(identity.chain)
    except (ApiError, OSError) as error:
        log.warning("the certificate is not refreshed: %s", error)
        return _RETRY_SECONDS
    endpoint.path = identity.path
    return _REFRESH_SECONDS


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
