"""The cluster's own certificate authority, and who holds a certificate of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.commands import run
from harness.place import API_SERVICE, NODE

if TYPE_CHECKING:
    from pathlib import Path

    from harness.place import Place

CURVE: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
"""Elliptic curves: keys in milliseconds, where RSA takes most of a second each."""


@dataclass(frozen=True)
class Holder:
    """Who a certificate speaks for; the groups of Kubernetes are organisations in it."""

    name: str
    subject: str
    alternatives: tuple[str, ...] = ()


def holders(place: Place) -> list[Holder]:
    """Everyone who speaks to the API server by certificate, and the servers themselves."""
    server = ("IP:127.0.0.1", f"IP:{place.address}", f"IP:{API_SERVICE}", "DNS:kubernetes.default.svc", "DNS:localhost")
    return [
        Holder("apiserver", "/CN=kube-apiserver", server),
        Holder("admin", "/O=system:masters/CN=admin"),
        Holder("controllers", "/CN=system:kube-controller-manager"),
        Holder("scheduler", "/CN=system:kube-scheduler"),
        Holder("node", f"/O=system:nodes/CN=system:node:{NODE}", (f"DNS:{NODE}", f"IP:{place.address}")),
        Holder("proxy", "/CN=system:kube-proxy"),
    ]


def write_certificates(place: Place) -> None:
    """Authority, certificates, kubeconfigs, and the key pair that signs service account tokens."""
    folder = place.pki("")
    folder.mkdir(parents=True)
    authority = ("-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    run("openssl", "req", "-x509", *CURVE, "-days", "30", "-subj", "/CN=synth-cluster", *authority)
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "sa.key")
    run("openssl", "ec", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")
    for holder in holders(place):
        _sign(folder, holder)
        _write_kubeconfig(place, holder.name)


def _sign(folder: Path, holder: Holder) -> None:
    files = {kind: folder / f"{holder.name}.{kind}" for kind in ("key", "csr", "crt", "ext")}
    files["ext"].write_text(f"subjectAltName={','.join(holder.alternatives or (f'DNS:{holder.name}',))}\n")
    run("openssl", "req", *CURVE, "-subj", holder.subject, "-keyout", files["key"], "-out", files["csr"])
    authority = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial")
    run(
        *("openssl", "x509", "-req", "-days", "30", *authority),
        *("-in", files["csr"], "-out", files["crt"], "-extfile", files["ext"]),
    )


def _write_kubeconfig(place: Place, name: str) -> None:
    cluster = {"server": f"https://{place.address}:6443", "certificate-authority": str(place.pki("ca.crt"))}
    user = {"client-certificate": str(place.pki(f"{name}.crt")), "client-key": str(place.pki(f"{name}.key"))}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "synth", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "synth", "context": {"cluster": "synth", "user": name}}],
        "current-context": "synth",
    }
    place.pki(f"{name}.conf").write_text(json.dumps(document, indent=1))
