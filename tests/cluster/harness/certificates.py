"""The cluster's certificate authority and the certificates of its components."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.commands import run_command
from harness.slot import API_SERVICE, NODE

if TYPE_CHECKING:
    from pathlib import Path

    from harness.slot import ClusterSlot

CURVE: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
"""An elliptic curve: a key takes milliseconds, an RSA key most of a second."""


@dataclass(frozen=True)
class Identity:
    """Subject of a certificate; Kubernetes reads its organisations as groups."""

    name: str
    subject: str
    alternatives: tuple[str, ...] = ()


def list_identities(slot: ClusterSlot) -> list[Identity]:
    """Return the clients of the API server, and the servers."""
    server = (
        "IP:127.0.0.1",
        f"IP:{slot.node_address}",
        f"IP:{API_SERVICE}",
        "DNS:kubernetes.default.svc",
        "DNS:localhost",
    )
    return [
        Identity("apiserver", "/CN=kube-apiserver", server),
        Identity("admin", "/O=system:masters/CN=admin"),
        Identity("controllers", "/CN=system:kube-controller-manager"),
        Identity("scheduler", "/CN=system:kube-scheduler"),
        Identity("node", f"/O=system:nodes/CN=system:node:{NODE}", (f"DNS:{NODE}", f"IP:{slot.node_address}")),
        Identity("proxy", "/CN=system:kube-proxy"),
    ]


def write_certificates(slot: ClusterSlot) -> None:
    """Write the authority, certificates, kubeconfigs, and the key pair that signs service account tokens."""
    folder = slot.pki("")
    folder.mkdir(parents=True)
    authority = ("-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    run_command("openssl", "req", "-x509", *CURVE, "-days", "30", "-subj", "/CN=synth-cluster", *authority)
    run_command("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "sa.key")
    run_command("openssl", "ec", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")
    for identity in list_identities(slot):
        _write_certificate(folder, identity)
        _write_kubeconfig(slot, identity.name)


def _write_certificate(folder: Path, identity: Identity) -> None:
    files = {kind: folder / f"{identity.name}.{kind}" for kind in ("key", "csr", "crt", "ext")}
    files["ext"].write_text(f"subjectAltName={','.join(identity.alternatives or (f'DNS:{identity.name}',))}\n")
    run_command("openssl", "req", *CURVE, "-subj", identity.subject, "-keyout", files["key"], "-out", files["csr"])
    authority = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial")
    run_command(
        *("openssl", "x509", "-req", "-days", "30", *authority),
        *("-in", files["csr"], "-out", files["crt"], "-extfile", files["ext"]),
    )


def _write_kubeconfig(slot: ClusterSlot, name: str) -> None:
    cluster = {"server": f"https://{slot.node_address}:6443", "certificate-authority": str(slot.pki("ca.crt"))}
    user = {"client-certificate": str(slot.pki(f"{name}.crt")), "client-key": str(slot.pki(f"{name}.key"))}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "synth", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "synth", "context": {"cluster": "synth", "user": name}}],
        "current-context": "synth",
    }
    slot.pki(f"{name}.conf").write_text(json.dumps(document, indent=1))
