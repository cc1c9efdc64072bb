"""MinIO on the node's own address, which pods and tests reach alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.request import urlopen

from minio import Minio
from servers import ACCESS_KEY, SECRET_KEY
from waiting import wait_until

from harness.slot import find_program

if TYPE_CHECKING:
    from harness.cluster import Cluster

BUCKET: Final = "datasets"


@dataclass
class NodeStore:
    """The store of all sweeps of a cluster."""

    cluster: Cluster
    process: int = 0

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self.cluster.store_endpoint

    @property
    def client(self) -> Minio:
        """Client with full access."""
        return Minio(self.endpoint, ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1")

    def start(self) -> None:
        """Start MinIO and wait until it is healthy."""
        slot = self.cluster.sandbox.slot
        keys = (f"MINIO_ROOT_USER={ACCESS_KEY}", f"MINIO_ROOT_PASSWORD={SECRET_KEY}", f"HOME={slot.folder}")
        server = (find_program("minio"), "server", f"{slot.folder}/minio", f"--address={self.endpoint}")
        self.process = self.cluster.sandbox.start(["env", *keys, *server], slot.log("minio"))
        wait_until(self._is_healthy, "MinIO did not start")

    def kill(self) -> None:
        """Send SIGKILL; the data stay."""
        self.cluster.sandbox.kill(self.process)
        wait_until(lambda: not self._is_healthy(), "MinIO still runs")

    def _is_healthy(self) -> bool:
        try:
            with urlopen(f"http://{self.endpoint}/minio/health/cluster", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
