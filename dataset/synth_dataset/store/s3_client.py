"""Client of an S3 store: time limits, certificates, proxy."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import certifi
from urllib3 import PoolManager, ProxyManager
from urllib3.util import Timeout

from synth_api.reasons import Reason
from synth_api.sentences import explain
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_credentials import find_credentials
from synth_dataset.store.s3_guard import GUARDED_POOLS
from synth_dataset.store.s3_listing import ListingClient
from synth_dataset.store.s3_proxy import find_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth_api.resources.output import Output
    from synth_dataset.store.s3_proxy import Proxy

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 30.0
"""Limit on the wait for data of a connected server."""


@dataclass(frozen=True)
class Patience:
    """Retry policy: repeat a request for `seconds` from its first failure; 0 sends it once. `stop` ends the waiting."""

    seconds: float = 0.0
    first_delay: float = 0.5
    """Seconds before the second try; doubles with each try."""
    max_delay: float = 15.0
    """Maximum seconds between two tries."""
    stop: Event = field(default_factory=Event)


RENDER_PATIENCE: Final = 300.0
"""Seconds for which a render worker retries an unavailable store."""


@dataclass(frozen=True)
class Connection:
    """Client of a store, and its proxy."""

    client: ListingClient
    proxy: Proxy | None


def connect(
    output: Output, environment: Mapping[str, str], authority: Path | None, threads: int, *, guarded: bool
) -> Connection:
    """Create a client for `threads` threads that sends each request once; send nothing yet.

    A guarded one refuses addresses that no store may have.

    Raises StoreError for an invalid credential, proxy or certificate authority.
    """
    credentials = find_credentials(output, environment)
    proxy = find_proxy(output, environment)
    options: dict[str, Any] = {
        "timeout": Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
        "retries": False,
        "maxsize": threads,
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": None if output.insecure else _find_authorities(environment, authority),
    }
    http_client = ProxyManager(proxy.url, proxy_headers=proxy.headers, **options) if proxy else PoolManager(**options)
    if guarded:
        http_client.pool_classes_by_scheme = GUARDED_POOLS
    try:
        client = ListingClient(
            # Minio would remove the default port itself, but with the brackets of an IPv6 address.
            output.endpoint.removesuffix(":80" if output.insecure else ":443"),
            secure=not output.insecure,
            region=output.region,
            credentials=credentials,
            http_client=http_client,
        )
    except ValueError as error:  # a rule of Amazon's own names
        sentence = f"the store at {output.endpoint} cannot be used ({explain(error)}); correct output.endpoint"
        raise StoreError(Reason.STORE_UNREACHABLE, sentence) from None
    return Connection(client, proxy)


def _find_authorities(environment: Mapping[str, str], authority: Path | None) -> str:
    named = str(authority) if authority else environment.get("SSL_CERT_FILE")
    known = named or certifi.where()
    if not os.path.exists(known):
        problem = f"the certificate authority {known} does not exist; check output.caSecretRef"
        raise StoreError(Reason.CERTIFICATE_INVALID, problem)
    if named:
        _check_authority(named)
    return known


def _check_authority(file: str) -> None:
    try:
        SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError:  # SSLError is one
        problem = f"the certificate authority {file} holds no certificate in PEM form; check output.caSecretRef"
        raise StoreError(Reason.CERTIFICATE_INVALID, problem) from None
