"""A client for an S3 store: time limits, trust, credentials."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Final

import certifi
from minio import Minio
from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    IamAwsProvider,
    Provider,
    StaticProvider,
)
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from synth_api.resources.conditions import Reason
from synth_dataset.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from minio.credentials.credentials import Credentials

    from synth_api.resources.output import Output

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 30.0
"""Between two signs of life of a server that is connected."""
ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
SECRET_KEY: Final = "AWS_SECRET_ACCESS_KEY"
SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"


@dataclass(frozen=True)
class Patience:
    """How long a request is tried again: `seconds` from its first failure; 0 tries once. `stop` ends the waiting."""

    seconds: float = 0.0
    first: float = 0.5
    """Seconds before the second try; doubles."""
    longest: float = 15.0
    """Seconds between two tries."""
    stop: Event = field(default_factory=Event)


RENDER_PATIENCE: Final = 300.0
"""Seconds for which a render worker waits for a store that has gone."""


def client(output: Output, environment: Mapping[str, str], authority: Path | None, threads: int) -> Minio:
    """A client for so many threads that tries each request once. Raises StoreError for half of a pair of keys."""
    pool = PoolManager(
        timeout=Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
        retries=False,
        maxsize=threads,
        cert_reqs="CERT_REQUIRED",
        ca_certs=None if output.insecure else _authorities(environment, authority),
    )
    return Minio(
        output.endpoint,
        secure=not output.insecure,
        region=output.region,
        credentials=_credentials(output, environment),
        http_client=pool,
    )


def _authorities(environment: Mapping[str, str], authority: Path | None) -> str:
    known = str(authority) if authority else environment.get("SSL_CERT_FILE") or certifi.where()
    if not os.path.exists(known):
        problem = f"the certificate authority {known} is not there; check output.caSecretRef"
        raise StoreError(Reason.CERTIFICATE_INVALID, problem)
    return known


def _credentials(output: Output, environment: Mapping[str, str]) -> Provider:
    access, secret = environment.get(ACCESS_KEY, ""), environment.get(SECRET_KEY, "")
    if access and secret:
        return StaticProvider(access, secret, environment.get(SESSION_TOKEN) or None)
    if access or secret:
        missing, given = (SECRET_KEY, ACCESS_KEY) if access else (ACCESS_KEY, SECRET_KEY)
        problem = f"the credentials for bucket '{output.bucket}' have {given} but no {missing}; add it to the Secret"
        raise StoreError(Reason.ACCESS_DENIED, problem)
    return _Surroundings(output)


class _Surroundings(Provider):
    """The client's own chain: a credentials file, then the identity that the platform gives a pod."""

    def __init__(self, output: Output) -> None:
        self._output = output
        quick = PoolManager(timeout=Timeout(connect=CONNECT_SECONDS, read=CONNECT_SECONDS), retries=False)
        self._chain = ChainedProvider([AWSConfigProvider(), IamAwsProvider(http_client=quick)])

    def retrieve(self) -> Credentials:
        """Raises StoreError when there are none."""
        try:
            return self._chain.retrieve()
        except (ValueError, OSError, HTTPError) as error:
            problem = (
                f"there are no credentials for bucket '{self._output.bucket}'; name a Secret with {ACCESS_KEY} and "
                f"{SECRET_KEY} in output.secretRef, or a service account with a workload identity"
            )
            raise StoreError(Reason.ACCESS_DENIED, problem) from error
