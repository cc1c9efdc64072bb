"""Real S3 servers as processes on free local ports.

The programs (MinIO, SeaweedFS) come from `tools/cluster-dependencies`, which builds them when they are missing.
A server dies with the test process, however that ends.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).parents[1]
ACCESS_KEY: Final = "test-access-key"
SECRET_KEY: Final = "test-secret-key"
READY_SECONDS: Final = 60.0
SERVER_PORTS: Final = range(10_000, 32_768)
_ANY_CERTIFICATE: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE


def cache_folder() -> Path:
    """Return the cache folder of `tools/cluster-dependencies`."""
    user_cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SYNTH_CACHE") or Path(user_cache) / "synth-operator")


def program(name: str, part: str | None = None) -> Path:
    """Return the path of a program, built first when it is missing or its inputs have changed."""
    subprocess.run([ROOT / "tools" / "cluster-dependencies", part or name], check=True)
    return cache_folder() / "bin" / name


def free_ports(count: int) -> list[int]:
    """Return different ports of 127.0.0.1 on which nothing listens.

    They lie below the kernel's range for outgoing connections, which could take a port before the server does.
    """
    ports: list[int] = []
    for port in random.SystemRandom().sample(SERVER_PORTS, len(SERVER_PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError(f"only {len(ports)} of {count} ports from {SERVER_PORTS} are free")


@dataclass
class S3Server:
    """A server: its endpoint, keys and process, which tests may stop, kill and start."""

    endpoint: str
    command: Sequence[str]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    region: str = "us-east-1"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers. Raises RuntimeError with the end of its log after a minute."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + READY_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"{self.command[0]} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP makes it hang, SIGCONT continues it."""
        assert self.process is not None
        self.process.send_signal(number)
        if number is signal.SIGSTOP:
            os.waitpid(self.process.pid, os.WUNTRACED)  # its threads stop one after another; now all have

    def kill(self) -> None:
        """Send SIGKILL and wait for the end; the data stay for the next `start`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def minio_server(folder: Path, certificates: Path | None = None) -> Iterator[S3Server]:
    """Run MinIO with its data in `folder`; TLS when `certificates` contains public.crt and private.key."""
    port, console = free_ports(2)
    data = folder / "minio"
    data.mkdir(parents=True, exist_ok=True)
    addresses = ["--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console}"]
    tls, scheme = (["--certs-dir", str(certificates)], "https") if certificates else ([], "http")
    server = S3Server(
        endpoint=f"127.0.0.1:{port}",
        command=[str(program("minio")), "server", str(data), *addresses, *tls],
        log=folder / "minio.log",
        # …/health/ready succeeds before the store is available.
        ready=lambda: _answers(f"{scheme}://127.0.0.1:{port}/minio/health/cluster"),
        environment={"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "HOME": str(folder)},
    )
    yield from _running(server)


def add_tenant(endpoint: str, policy: dict[str, Any], name: str = "tenant") -> tuple[str, str]:
    """Add a user with one policy to a MinIO without TLS and return the user's two keys."""
    admin = MinioAdmin(endpoint=endpoint, credentials=StaticProvider(ACCESS_KEY, SECRET_KEY), secure=False)
    keys = (f"{name}-access-key", f"{name}-secret-key")
    admin.user_add(*keys)
    admin.policy_add(name, policy=policy)
    admin.attach_policy([name], user=keys[0])
    return keys


@contextmanager
def seaweed_server(folder: Path) -> Iterator[S3Server]:
    """Run SeaweedFS: master, volume server, filer and S3 gateway in one process.

    It needs eight ports; if another process takes one of them before it listens, it starts again with others.
    """
    for tries_left in (2, 1, 0):
        server = _seaweed(folder)
        try:
            server.start()
            break
        except RuntimeError:
            if not tries_left:
                raise
    try:
        yield server
    finally:
        server.kill()


def _seaweed(folder: Path) -> S3Server:
    names = ["master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    data = folder / "seaweed"
    data.mkdir(parents=True, exist_ok=True)
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    config = folder / "seaweed.json"
    config.write_text(json.dumps({"identities": [{"name": "test", "credentials": credentials, "actions": actions}]}))
    flags = [
        f"-{name.replace('.grpc', '')}.port{'.grpc' * name.endswith('.grpc')}={port}" for name, port in ports.items()
    ]
    return S3Server(
        endpoint=f"127.0.0.1:{ports['s3']}",
        command=[
            *(str(program("weed")), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", *flags),
            *("-volume.max=20", "-master.volumeSizeLimitMB=64", "-filer", "-s3", f"-s3.config={config}"),
            # The default catalogs listen on fixed ports, which two servers cannot share.
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        ],
        log=folder / "seaweed.log",
        ready=lambda: _answers(f"http://127.0.0.1:{ports['master']}/dir/assign") and _listens(ports["s3"]),
    )


def _running(server: S3Server) -> Iterator[S3Server]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=_ANY_CERTIFICATE) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
