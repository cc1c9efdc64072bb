"""A TCP proxy that changes or breaks connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Filter = Callable[[bytes], bytes | None]
"""Filter of the bytes of a connection; None breaks it."""


@contextmanager
def proxy(endpoint: str, up: Filter = lambda data: data, down: Filter = lambda data: data) -> Iterator[str]:
    """Run a proxy and return its endpoint; `up` and `down` filter what client and server send."""
    host, port = endpoint.rsplit(":", 1)
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket, change: Filter) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                passed = change(data)
                if passed is None:
                    break
                target.sendall(passed)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection((host, int(port)))
                except ConnectionRefusedError:
                    near.close()
                    continue
                open_sockets.extend([near, far])
                for arguments in ((near, far, up), (far, near, down)):
                    threads.append(threading.Thread(target=pump, args=arguments))
                    threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.join()
            for each in open_sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for each in open_sockets:
                each.close()


class Once:
    """Filter that changes the first bytes that contain a mark and passes all others."""

    def __init__(self, mark: bytes, change: Filter) -> None:
        self.is_done = False
        self._mark = mark
        self._change = change

    def __call__(self, data: bytes) -> bytes | None:
        if self.is_done or self._mark not in data:
            return data
        self.is_done = True
        return self._change(data)
