"""TLS context of the server, whose certificate changes while it serves."""

from __future__ import annotations

import logging
import os
import ssl

log = logging.getLogger(__name__)


class ServerContext:
    """Context for new connections; those that exist keep their certificate."""

    def __init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._chain = b""

    def load(self, chain: bytes) -> None:
        """Serve a certificate and its private key, PEM, from the next connection on.

        Raises:
            OSError: they do not belong together, or are none; the former ones stay.
        """
        if chain == self._chain:
            return
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), chain)  # a failure would leave half of it in the context
        _load(self.context, chain)
        self._chain = chain
        log.info("serving a new certificate")


def _load(context: ssl.SSLContext, chain: bytes) -> None:
    """Load a chain, which OpenSSL takes from a file only, from one in memory."""
    with open(os.memfd_create("chain"), "wb") as file:
        file.write(chain)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
