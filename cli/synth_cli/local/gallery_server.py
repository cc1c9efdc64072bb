"""Web server of a live gallery on this machine: the page, its rows, and the files of runs from the store."""

from __future__ import annotations

import mimetypes
import re
import signal
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

from synth_api.errors import InputError
from synth_cli.terminal.consoles import open_stderr
from synth_cli.terminal.standard_streams import print_line
from synth_dataset.documents.document import DocumentError
from synth_dataset.store.base import StoreError
from synth_dataset.views.gallery_page import ASSETS, PIECES, read_asset
from synth_dataset.views.gallery_pieces import dump_json

if TYPE_CHECKING:
    from synth_dataset.attempts.live_gallery import LiveGallery

HOST: Final = "127.0.0.1"
_RUN_FILE: Final = re.compile(r"runs/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{8}/(?!(?:.*/)?\.\.?(?:/|$)).+")
_ASSETS: Final = {f"{PIECES}/{name}": name for name in ASSETS}
_NEVER: Final = "no-store"
_ALWAYS: Final = "private, max-age=86400, immutable"
"""Files of a run never change."""


class GalleryServer(ThreadingHTTPServer):
    """Server that only this machine reaches; `port` 0 is any free one. Raises InputError if the port is taken."""

    daemon_threads = True

    def __init__(self, gallery: LiveGallery, port: int) -> None:
        self.gallery = gallery
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise InputError("--port", f"{port} cannot be used ({error.strerror}); give another one") from None

    @property
    def address(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.server_port}/"


def serve_gallery(gallery: LiveGallery, port: int) -> None:
    """Print the address of a live gallery and serve it until Ctrl-C or SIGTERM.

    Raises InputError for a port that is taken or a sweep without anything to show, StoreError, DocumentError.
    """
    gallery.build_page()
    with GalleryServer(gallery, port) as server, suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        open_stderr().print("the page grows with the sweep; Ctrl-C ends it")
        print_line(server.address)
        server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    """One request; it reads the store and writes nothing."""

    protocol_version = "HTTP/1.1"

    server: GalleryServer

    def do_GET(self) -> None:
        """Answer with a file, or with a sentence."""
        # A name of another site that leads here would let that site read the dataset.
        if self.headers.get("Host") not in {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}:
            return self._answer(HTTPStatus.MISDIRECTED_REQUEST, b"not the address of this gallery", "text/plain")
        url = urlsplit(self.path)
        path = unquote(url.path).removeprefix("/")
        try:
            if path == "":
                return self._answer(HTTPStatus.OK, self.server.gallery.build_page(), "text/html; charset=utf-8")
            if path == f"{PIECES}/rows.json":
                return self._answer_news(parse_qs(url.query))
            if path in _ASSETS:
                return self._answer_file(path, read_asset(_ASSETS[path]), _NEVER)
            if _RUN_FILE.fullmatch(path):
                return self._answer_file(path, self.server.gallery.store.read(path), _ALWAYS)
        except FileNotFoundError:
            pass
        except (StoreError, DocumentError, InputError) as error:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error).encode(), "text/plain; charset=utf-8")
        return self._answer(HTTPStatus.NOT_FOUND, b"not a file of the gallery", "text/plain")

    def _answer_news(self, query: dict[str, list[str]]) -> None:
        after = query.get("after", ["0"])[0]
        news = self.server.gallery.list_news(query.get("attempt", [""])[0], int(after) if after.isdecimal() else 0)
        self._answer(HTTPStatus.OK, dump_json(news), "application/json")

    def _answer_file(self, path: str, content: bytes, cache: str) -> None:
        self._answer(HTTPStatus.OK, content, mimetypes.guess_type(path)[0] or "application/octet-stream", cache)

    def _answer(self, status: HTTPStatus, content: bytes, kind: str, cache: str = _NEVER) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Cache-Control", cache),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write no line about a request."""
