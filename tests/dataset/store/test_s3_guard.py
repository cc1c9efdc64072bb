"""What a pod tells about an address that is no store, and which addresses it never sends a request to."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from synth_api.reasons import Reason
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_guard import API_SERVER
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import S3Server

    from synth_api.resources.output import Output

RESERVED = "is not that of a store (this machine, its link or the API server); correct output.endpoint"


@contextmanager
def serve(status: int, body: bytes = b"{}") -> Iterator[str]:
    """Run an HTTP server that is no store and yield its endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def listen_and_break() -> Iterator[str]:
    """Accept connections, break them, and yield the endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def find_problem(output: Output, keys: dict[str, str], *, discreet: bool = False) -> StoreError:
    with pytest.raises(StoreError) as caught:
        S3Store(output, environment=keys, guarded=True, discreet=discreet).check()
    return caught.value


def test_everything_that_is_no_store_has_the_same_sentence(bucket, minio, credentials):
    keys = credentials(minio)
    with serve(200) as ok, serve(403) as denied, serve(404) as absent, serve(503) as busy, listen_and_break() as broken:
        changes = [
            *({"endpoint": endpoint} for endpoint in (ok, denied, absent, busy, broken)),
            *({"endpoint": "127.0.0.1:1"}, {"endpoint": "no-such-host.invalid:9000"}, {"insecure": False}),
        ]
        outputs = [bucket.model_copy(update=change) for change in changes]
        problems = [find_problem(output, keys, discreet=True) for output in outputs]
    for output, problem in zip(outputs, problems, strict=True):
        assert problem.reason is Reason.STORE_UNREACHABLE
        assert str(problem) == (
            f"the store at {output.endpoint} cannot be used; check output.endpoint, output.insecure and "
            "output.caSecretRef, and whether the store runs"
        )


def test_what_a_store_says_stays(bucket, minio, credentials):
    wrong = {**credentials(minio), "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    assert "(SignatureDoesNotMatch): the secret key" in str(find_problem(bucket, wrong, discreet=True))


@pytest.mark.parametrize("host", ["localhost", "0x7f000001", "169.254.169.254", "[::ffff:169.254.0.1]", "0.0.0.0"])
def test_a_pod_does_not_connect_to_its_own_machine_or_link(bucket: Output, minio: S3Server, credentials, host: str):
    port = minio.endpoint.rsplit(":", 1)[1]
    problem = find_problem(bucket.model_copy(update={"endpoint": f"{host}:{port}"}), credentials(minio))
    assert problem.reason is Reason.STORE_UNREACHABLE
    assert str(problem).endswith(RESERVED)


def test_a_pod_does_not_connect_to_the_api_server(bucket, minio, credentials, monkeypatch):
    S3Store(bucket, environment=credentials(minio), guarded=True).check()
    monkeypatch.setenv(API_SERVER, "127.0.0.1")
    assert str(find_problem(bucket, credentials(minio))).endswith(RESERVED)


def test_a_proxy_is_no_way_around(bucket, minio, credentials):
    keys = {**credentials(minio), "HTTP_PROXY": "http://169.254.169.254:80"}
    assert str(find_problem(bucket.model_copy(update={"endpoint": "store.example:9000"}), keys)).endswith(RESERVED)
