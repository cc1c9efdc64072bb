"""Connections to a store in a pod: addresses that no store may have are refused where the connection is made."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from synth_api.reasons import Reason
from synth_api.resources.endpoints import is_reserved_address, normalize_host, parse_address
from synth_dataset.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

API_SERVER: Final = "KUBERNETES_SERVICE_HOST"
"""Variable with the address of the API server; the kubelet sets it in every pod."""


class _GuardedConnection(HTTPConnection):
    @override
    def _new_conn(self) -> socket.socket:
        return _connect_with_checks(self, super()._new_conn)


class _GuardedTlsConnection(HTTPSConnection):
    @override
    def _new_conn(self) -> socket.socket:
        return _connect_with_checks(self, super()._new_conn)


class _GuardedPool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _GuardedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTlsConnection


GUARDED_POOLS: Final = {"http": _GuardedPool, "https": _GuardedTlsPool}
"""Pools of connections by scheme; a connection to a reserved address raises StoreError."""


def _connect_with_checks(connection: HTTPConnection, connect: Callable[[], socket.socket]) -> socket.socket:
    """Check the addresses of a host, connect, and check the address again: a name may have changed in between."""
    with suppress(OSError):  # `connect` reports a name that cannot be resolved
        for *_, address in socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM):
            _check_address(connection.host, str(address[0]))
    opened = connect()
    try:
        _check_address(connection.host, opened.getpeername()[0])
    except StoreError:
        opened.close()
        raise
    return opened


def _check_address(host: str, resolved: str) -> None:
    """Raise StoreError for a reserved address, or that of the API server.

    The operator refuses this machine's addresses as written; here they are refused for names that lead to them.
    """
    address = parse_address(resolved)
    is_written = address is not None and address.is_loopback and parse_address(host) == address
    is_reserved = address is not None and is_reserved_address(address) and not is_written
    if is_reserved or normalize_host(resolved) == normalize_host(os.environ.get(API_SERVER, "")):
        sentence = f"the address of '{host}' is not that of a store (this machine, its link or the API server)"
        raise StoreError(Reason.STORE_UNREACHABLE, f"{sentence}; correct output.endpoint")
