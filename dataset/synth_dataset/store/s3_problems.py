"""Errors of an S3 store as StoreError: a condition reason, and one sentence without credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from synth_api.reasons import Reason
from synth_dataset.store.base import StoreError

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_dataset.store.s3_proxy import Proxy

_DENIED: Final = {
    "SignatureDoesNotMatch": "the secret key does not fit the access key; correct AWS_SECRET_ACCESS_KEY",
    "InvalidAccessKeyId": "it knows no such access key; correct AWS_ACCESS_KEY_ID",
    "ExpiredToken": "the session token has expired; renew AWS_SESSION_TOKEN",
    "ExpiredTokenException": "the session token has expired; renew AWS_SESSION_TOKEN",
    "InvalidTokenId": "the session token is not valid; correct AWS_SESSION_TOKEN",
    "InvalidToken": "the session token is not valid; correct AWS_SESSION_TOKEN",
    "AuthorizationHeaderMalformed": "the bucket is in another region; correct output.region",
    "RequestTimeTooSkewed": "the clocks of store and node differ; set them",
    "AccessDenied": "the key needs the right to list the bucket and to read, write and delete below the prefix",
    "AllAccessDisabled": "the store has disabled it; ask its administrator",
    "InvalidSecurity": "the credentials are not valid; correct them",
}
_FULL: Final = frozenset(
    {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"}
)
_CODE: Final = re.compile(r"[A-Za-z0-9.]{1,64}")
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
_CERTIFICATE: Final = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "doesn't match")


def explain_error(error: Exception, output: Output, proxy: Proxy | None = None) -> StoreError:
    """Return the StoreError for an error of the client or the connection; it does not quote the server."""
    if isinstance(error, S3Error):
        return explain_code(error.code or "", output)
    if isinstance(error, ServerError):
        return _explain_status(error.status_code, output, proxy)
    if isinstance(error, InvalidResponseError):
        return _explain_status(error._code, output, proxy)
    if isinstance(error, MaxRetryError) and error.reason is not None:
        return explain_error(error.reason, output, proxy)
    if isinstance(error, ProxyError) and proxy:
        return _explain_proxy_error(error.original_error, proxy, output)
    if isinstance(error, SSLError):
        return _explain_tls_error(str(error), output)
    return _describe_unreachable(_describe_silence(error), output, proxy)


def conceal_answer(problem: StoreError, error: Exception, output: Output) -> StoreError:
    """Return the same problem for everything that does not answer as an S3 store does.

    What answers at an address, and how, tells which ports are open: nothing that a sweep may ask.
    """
    if isinstance(error, S3Error):
        return problem
    sentence = (
        f"the store at {output.endpoint} cannot be used; check output.endpoint, output.insecure and "
        "output.caSecretRef, and whether the store runs"
    )
    return StoreError(Reason.STORE_UNREACHABLE, sentence)


def describe_full_store(output: Output) -> StoreError:
    """Return the StoreError of a full store or quota."""
    sentence = (
        f"the store at {output.endpoint} has no space left in bucket '{output.bucket}'; free some or raise its quota"
    )
    return StoreError(Reason.STORE_FULL, sentence)


def describe_damage(uri: str) -> StoreError:
    """Return the StoreError of an object that differs from its upload."""
    sentence = f"{uri}: the stored object differs from the upload; check the store and the network"
    return StoreError(Reason.STORE_DAMAGED, sentence)


def explain_code(code: str, output: Output) -> StoreError:
    """Return the StoreError for an error code of S3."""
    if code == "NoSuchBucket":
        sentence = f"the store at {output.endpoint} has no bucket '{output.bucket}'; create it or correct output.bucket"
        return StoreError(Reason.BUCKET_NOT_FOUND, sentence)
    if code in _DENIED:
        sentence = f"the store at {output.endpoint} denies access to bucket '{output.bucket}' ({code}): {_DENIED[code]}"
        return StoreError(Reason.ACCESS_DENIED, sentence)
    if code in _FULL:
        return describe_full_store(output)
    name = code if _CODE.fullmatch(code) else "an error without a name"
    return _describe_unreachable(f"it answers {name}", output)


def _explain_status(status: int, output: Output, proxy: Proxy | None) -> StoreError:
    """Return the StoreError for a response that is not from S3, but from a proxy or another server."""
    if status == 407 and proxy:
        return _describe_proxy_denial(proxy, output)
    if status == 403:
        return explain_code("AccessDenied", output)
    if status == 507:
        return describe_full_store(output)
    if status >= 500 or status in (408, 429):
        return _describe_unreachable(f"it answers with HTTP status {status}", output, proxy)
    hint = "; it may speak HTTPS: leave output.insecure out" if output.insecure else ""
    return _describe_unreachable(
        f"the server that answers with HTTP status {status} is not an S3 store{hint}", output, proxy
    )


def _explain_tls_error(message: str, output: Output) -> StoreError:
    if any(sign in message for sign in _CERTIFICATE):
        why = message.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0].strip("'\")( ")
        sentence = (
            f"the certificate of the store at {output.endpoint} is not trusted ({why}); "
            "name its authority in output.caSecretRef, and the host name that it is made out to in output.endpoint"
        )
        return StoreError(Reason.CERTIFICATE_INVALID, sentence)
    return _describe_unreachable("it does not speak HTTPS; set output.insecure if it speaks plain HTTP", output)


def _explain_proxy_error(error: Exception | None, proxy: Proxy, output: Output) -> StoreError:
    """Return the StoreError of a proxy that is unavailable or refuses the connection."""
    status = _TUNNEL.search(str(error))
    if status and status[1] == "407":
        return _describe_proxy_denial(proxy, output)
    why = (
        f"it answers with HTTP status {status[1]}" if status else _describe_silence(error or ProxyError("", OSError()))
    )
    sentence = (
        f"the store at {output.endpoint} cannot be reached through {proxy} ({why}); "
        f"correct {proxy.variable}, or list the store's host in NO_PROXY"
    )
    return StoreError(Reason.STORE_UNREACHABLE, sentence)


def _describe_proxy_denial(proxy: Proxy, output: Output) -> StoreError:
    sentence = (
        f"the store at {output.endpoint} cannot be reached: {proxy} asks for other credentials; "
        f"write http://USER:PASSWORD@HOST:PORT into {proxy.variable}"
    )
    return StoreError(Reason.STORE_UNREACHABLE, sentence)


def _describe_silence(error: Exception) -> str:
    if isinstance(error, NameResolutionError):
        return "no such host"
    if isinstance(error, NewConnectionError):
        return "connection refused" if "refused" in str(error) else "no way to the host"
    if isinstance(error, ConnectTimeoutError):
        return "it does not answer"
    if isinstance(error, ReadTimeoutError):
        return "it has stopped answering"
    if isinstance(error, HTTPError | OSError):
        return "the connection broke"
    return f"its response is not that of an S3 store: {type(error).__name__}"


def _describe_unreachable(why: str, output: Output, proxy: Proxy | None = None) -> StoreError:
    route = f" through {proxy}" if proxy else ""
    remedy = "check output.endpoint and whether the store runs"
    sentence = f"the store at {output.endpoint} cannot be used{route} ({why}); {remedy}"
    return StoreError(Reason.STORE_UNREACHABLE, sentence)
