"""Commands that start the components of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.slot import NODE, PODS, SERVICES, find_program

if TYPE_CHECKING:
    from harness.slot import ClusterSlot

ETCD = "http://127.0.0.1:2379"
PEER = "http://127.0.0.1:2380"


def component_commands(slot: ClusterSlot) -> dict[str, list[str]]:
    """Return name -> command of every component, in the order of their start."""
    return {
        "etcd": etcd_command(slot),
        "apiserver": api_server_command(slot),
        "containerd": ["containerd", "-c", str(slot.folder / "containerd.toml")],
        "controllers": controller_manager_command(slot),
        "scheduler": scheduler_command(slot),
        "kubelet": kubelet_command(slot),
        "proxy": kube_proxy_command(slot),
    }


def etcd_command(slot: ClusterSlot) -> list[str]:
    """Return the command of etcd without fsync: a cluster for tests need not survive a power cut."""
    return [
        *(find_program("kube"), "etcd", f"--data-dir={slot.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn"),
        *(f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}", f"--listen-peer-urls={PEER}"),
        *(f"--initial-advertise-peer-urls={PEER}", f"--initial-cluster=default={PEER}"),
    ]


def api_server_command(slot: ClusterSlot) -> list[str]:
    """Return the command of kube-apiserver; it reaches the kubelet by IP address, because there is no DNS."""
    return [
        *(find_program("kube"), "kube-apiserver", f"--etcd-servers={ETCD}", "--secure-port=6443"),
        *(f"--advertise-address={slot.node_address}", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged"),
        *(f"--tls-cert-file={slot.pki('apiserver.crt')}", f"--tls-private-key-file={slot.pki('apiserver.key')}"),
        f"--client-ca-file={slot.pki('ca.crt')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={slot.pki('sa.pub')}",
        f"--service-account-signing-key-file={slot.pki('sa.key')}",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={slot.pki('ca.crt')}",
        f"--kubelet-client-certificate={slot.pki('admin.crt')}",
        f"--kubelet-client-key={slot.pki('admin.key')}",
        *(f"--audit-policy-file={slot.folder}/audit.json", f"--audit-log-path={slot.log('audit')}"),
    ]


def controller_manager_command(slot: ClusterSlot) -> list[str]:
    """Return the command of kube-controller-manager, without leader election."""
    return [
        *(
            find_program("kube"),
            "kube-controller-manager",
            *_kubeconfig_flags(slot, "controllers"),
            "--leader-elect=false",
        ),
        *(f"--root-ca-file={slot.pki('ca.crt')}", f"--service-account-private-key-file={slot.pki('sa.key')}"),
        *("--use-service-account-credentials", "--allocate-node-cidrs", f"--cluster-cidr={PODS}"),
        *("--kube-api-qps=200", "--kube-api-burst=300"),  # the defaults limit the Jobs per second
    ]


def scheduler_command(slot: ClusterSlot) -> list[str]:
    """Return the command of kube-scheduler, without leader election."""
    return [find_program("kube"), "kube-scheduler", *_kubeconfig_flags(slot, "scheduler"), "--leader-elect=false"]


def kubelet_command(slot: ClusterSlot) -> list[str]:
    """Return the command of the kubelet."""
    return [
        *(find_program("kube"), "kubelet", f"--config={slot.folder}/kubelet.json"),
        *(f"--kubeconfig={slot.pki('node.conf')}", f"--hostname-override={NODE}", f"--node-ip={slot.node_address}"),
    ]


def kube_proxy_command(slot: ClusterSlot) -> list[str]:
    """Return the command of kube-proxy; it leaves the machine's connection tracking settings unchanged."""
    unchanged = ("max-per-core", "min", "tcp-timeout-established", "tcp-timeout-close-wait")
    return [
        *(find_program("kube"), "kube-proxy", f"--kubeconfig={slot.pki('proxy.conf')}", f"--hostname-override={NODE}"),
        *(f"--cluster-cidr={PODS}", "--proxy-mode=iptables", *(f"--conntrack-{name}=0" for name in unchanged)),
    ]


def kwok_command(slot: ClusterSlot, stages: str) -> list[str]:
    """Return the command of kwok, which manages only nodes with its annotation."""
    return [
        *(find_program("kwok"), f"--kubeconfig={slot.kubeconfig}", "--manage-all-nodes=false", f"--config={stages}"),
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    ]


def prometheus_command(slot: ClusterSlot) -> list[str]:
    """Return the command of Prometheus, on the node's address."""
    return [
        *("prometheus", f"--config.file={slot.folder}/prometheus.json"),
        *(f"--storage.tsdb.path={slot.folder}/prometheus", f"--web.listen-address={slot.node_address}:9090"),
    ]


def _kubeconfig_flags(slot: ClusterSlot, name: str) -> list[str]:
    config = slot.pki(f"{name}.conf")
    return [f"--{purpose}kubeconfig={config}" for purpose in ("", "authentication-", "authorization-")]
