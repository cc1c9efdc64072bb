"""Health endpoints: /healthz asks for a restart of the process, /readyz for no reliance on it, each with a 503."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[], str]
    """Returns one sentence about a problem, empty without one."""


class HealthServer:
    """HTTP server that answers each path with 200 `ok`, or with 503 and the problem that its check returns."""

    def __init__(self, port: int, checks: Mapping[str, Check]) -> None:
        self._server = ThreadingHTTPServer(("", port), _build_handler(checks))
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """TCP port on which the server listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop the server and wait for the end of its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _build_handler(checks: Mapping[str, Check]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            check = checks.get(self.path)
            if check is None:
                self._answer(HTTPStatus.NOT_FOUND, f"unknown path; paths are {', '.join(sorted(checks))}")
                return
            problem = check()
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK, problem or "ok")

        def log_message(self, *_: object) -> None:
            """Log nothing: probes come every few seconds."""

        def _answer(self, status: HTTPStatus, text: str) -> None:
            body = f"{text}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
