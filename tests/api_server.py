"""A Kubernetes API server without controllers, scheduler and node: for tests of schemas, rules, columns and rights.

It dies with the test process.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from servers import free_ports, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADMIN: Final = "admin-token"
VIEWER: Final = "viewer-token"
"""Token of a user without any right."""
READY_SECONDS: Final = 90.0


@dataclass(frozen=True)
class ApiServer:
    """A running server; `kubeconfig` has the contexts `admin` (the current one) and `viewer`."""

    kubeconfig: Path

    def call(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return its result, also after a failure; its cache lies beside the kubeconfig."""
        return subprocess.run(
            [
                program("kubectl", "clients"),
                f"--kubeconfig={self.kubeconfig}",
                f"--cache-dir={self.kubeconfig.parent}/cache",
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output; a failure of kubectl fails the test."""
        answer = self.call(*arguments, stdin=stdin)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def apply(self, document: dict[str, Any]) -> None:
        """Apply an object server-side, as GitOps tools do."""
        self.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(document))


@contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    """Start etcd and the API server on free ports and wait until the server is ready."""
    etcd_port, peer_port, port = free_ports(3)
    etcd, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    keys = _write_service_account_keys(folder)
    (folder / "tokens").write_text(f'{ADMIN},admin,admin,"system:masters"\n{VIEWER},viewer,viewer\n')
    with ExitStack() as ends:
        ends.enter_context(
            _run_process(
                folder / "etcd.log",
                [
                    *(str(program("kube")), "etcd", f"--data-dir={folder}/etcd", "--unsafe-no-fsync"),
                    "--log-level=error",
                    *(f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}"),
                    *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
                    f"--initial-cluster=default={peer}",
                ],
            )
        )
        process = ends.enter_context(
            _run_process(
                folder / "api-server.log",
                [
                    *(str(program("kube")), "kube-apiserver", f"--etcd-servers={etcd}", f"--secure-port={port}"),
                    *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={folder}/pki"),
                    *(f"--token-auth-file={folder}/tokens", "--authorization-mode=RBAC"),
                    "--service-account-issuer=https://kubernetes.default.svc",
                    f"--service-account-key-file={keys}.pub",
                    f"--service-account-signing-key-file={keys}",
                ],
            )
        )
        _wait_until_ready(f"https://127.0.0.1:{port}/readyz", process, folder / "api-server.log")
        yield ApiServer(_write_kubeconfig(folder, port))


@contextmanager
def _run_process(log: Path, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=file, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _write_service_account_keys(folder: Path) -> Path:
    private = folder / "service-accounts"
    for command in (
        ["genrsa", "-out", str(private), "2048"],
        ["rsa", "-in", str(private), "-pubout", "-out", f"{private}.pub"],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return private


def _write_kubeconfig(folder: Path, port: int) -> Path:
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    users = {"admin": ADMIN, "viewer": VIEWER}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}} for name, token in users.items()],
        "contexts": [{"name": name, "context": {"cluster": "test", "user": name}} for name in users],
        "current-context": "admin",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {ADMIN}"})
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, context=trusting, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the API server did not become ready:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)
