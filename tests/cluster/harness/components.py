"""The programs a cluster consists of, as the commands that start them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.place import API_SERVICE, CONTAINERD, NODE, PODS, SERVICES, program

if TYPE_CHECKING:
    from harness.place import Place

ETCD = "http://127.0.0.1:2379"
PEER = "http://127.0.0.1:2380"


def commands(place: Place) -> dict[str, list[str]]:
    """Name of each component -> its command, in the order of starting."""
    return {
        "etcd": etcd(place),
        "apiserver": apiserver(place),
        "containerd": ["containerd", "-c", str(place.folder / "containerd.toml")],
        "controllers": controllers(place),
        "scheduler": scheduler(place),
        "kubelet": kubelet(place),
        "proxy": proxy(place),
    }


def etcd(place: Place) -> list[str]:
    """Without waiting for the disk: a cluster for tests need not survive a power cut."""
    return [
        *(program("kube"), "etcd", f"--data-dir={place.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn"),
        *(f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}", f"--listen-peer-urls={PEER}"),
        *(f"--initial-advertise-peer-urls={PEER}", f"--initial-cluster=default={PEER}"),
    ]


def apiserver(place: Place) -> list[str]:
    """Speaks to the kubelet by address: no DNS knows the node's name."""
    return [
        *(program("kube"), "kube-apiserver", f"--etcd-servers={ETCD}", "--secure-port=6443"),
        *(f"--advertise-address={place.address}", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged"),
        *(f"--tls-cert-file={place.pki('apiserver.crt')}", f"--tls-private-key-file={place.pki('apiserver.key')}"),
        f"--client-ca-file={place.pki('ca.crt')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={place.pki('sa.pub')}",
        f"--service-account-signing-key-file={place.pki('sa.key')}",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={place.pki('ca.crt')}",
        f"--kubelet-client-certificate={place.pki('admin.crt')}",
        f"--kubelet-client-key={place.pki('admin.key')}",
        *(f"--audit-policy-file={place.folder}/audit.json", f"--audit-log-path={place.log('audit')}"),
    ]


def controllers(place: Place) -> list[str]:
    """One of each suffices, so no leader is elected."""
    return [
        *(program("kube"), "kube-controller-manager", *_identity(place, "controllers"), "--leader-elect=false"),
        *(f"--root-ca-file={place.pki('ca.crt')}", f"--service-account-private-key-file={place.pki('sa.key')}"),
        *("--use-service-account-credentials", "--allocate-node-cidrs", f"--cluster-cidr={PODS}"),
        *("--kube-api-qps=200", "--kube-api-burst=300"),  # by default they make few Jobs a second
    ]


def scheduler(place: Place) -> list[str]:
    """The one that decides which node a pod runs on."""
    return [program("kube"), "kube-scheduler", *_identity(place, "scheduler"), "--leader-elect=false"]


def kubelet(place: Place) -> list[str]:
    """The node's own."""
    return [
        *(program("kube"), "kubelet", f"--config={place.folder}/kubelet.json"),
        *(f"--kubeconfig={place.pki('node.conf')}", f"--hostname-override={NODE}", f"--node-ip={place.address}"),
    ]


def proxy(place: Place) -> list[str]:
    """Leaves the connection tracker's settings alone, which belong to the machine."""
    untouched = ("max-per-core", "min", "tcp-timeout-established", "tcp-timeout-close-wait")
    return [
        *(program("kube"), "kube-proxy", f"--kubeconfig={place.pki('proxy.conf')}", f"--hostname-override={NODE}"),
        *(f"--cluster-cidr={PODS}", "--proxy-mode=iptables", *(f"--conntrack-{name}=0" for name in untouched)),
    ]


def fake_nodes(place: Place, stages: str) -> list[str]:
    """kwok, for the nodes that carry its annotation and no others."""
    return [
        *(program("kwok"), f"--kubeconfig={place.kubeconfig}", "--manage-all-nodes=false", f"--config={stages}"),
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    ]


def prometheus(place: Place) -> list[str]:
    """On the node's own address, so that the machine can ask it."""
    return [
        *("prometheus", f"--config.file={place.folder}/prometheus.json"),
        *(f"--storage.tsdb.path={place.folder}/prometheus", f"--web.listen-address={place.address}:9090"),
    ]


def _identity(place: Place, name: str) -> list[str]:
    config = place.pki(f"{name}.conf")
    return [f"--{purpose}kubeconfig={config}" for purpose in ("", "authentication-", "authorization-")]


__all__ = ["API_SERVICE", "CONTAINERD", "commands", "fake_nodes", "prometheus"]
