"""Configuration of containerd, its network plugin, the kubelet and the API server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from harness.slot import CONTAINERD, DNS_SERVICE, NODE_PODS

if TYPE_CHECKING:
    from harness.slot import ClusterSlot

PAUSE_IMAGE: Final = "localhost/pause:local"
CNI_PLUGINS: Final = "/usr/lib/cni"


def write_node_files(slot: ClusterSlot) -> None:
    """Write all files into the cluster's folder."""
    for folder in ("cni", "log", "pods", "containerd"):
        (slot.folder / folder).mkdir(exist_ok=True)
    texts = {
        "containerd.toml": format_containerd_config(slot),
        "cni/10-pods.conflist": json.dumps(build_pod_network(slot)),
        "kubelet.json": json.dumps(build_kubelet_config(slot)),
        "audit.json": json.dumps(build_audit_policy()),
        # Unknown names fail at once instead of after the timeout of a DNS server that nobody reaches.
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    }
    for name, text in texts.items():
        (slot.folder / name).write_text(text)


def format_containerd_config(slot: ClusterSlot) -> str:
    """Return containerd's configuration, with runc: crun refuses the hybrid control groups of older machines."""
    return f"""
version = 2
root = "{slot.folder}/containerd"
state = "/run/containerd/state"
[grpc]
  address = "{CONTAINERD}"
[ttrpc]
  address = "{CONTAINERD}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{slot.folder}/cni"
"""


def build_pod_network(slot: ClusterSlot) -> dict[str, Any]:
    """Return the CNI configuration: one bridge, with its address records in the cluster's folder."""
    ipam = {
        "type": "host-local",
        "dataDir": str(slot.folder / "addresses"),
        "ranges": [[{"subnet": NODE_PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def build_kubelet_config(slot: ClusterSlot) -> dict[str, Any]:
    """Return the kubelet's configuration: pods get the whole node, and the rights of a CI container suffice."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(slot.pki("ca.crt"))},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(slot.pki("node.crt")),
        "tlsPrivateKeyFile": str(slot.pki("node.key")),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{slot.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "podLogsDir": str(slot.folder / "pods"),
        "volumePluginDir": str(slot.folder / "plugins"),
        "resolvConf": str(slot.folder / "resolv.conf"),
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "5s",
    }


def build_audit_policy() -> dict[str, Any]:
    """Return a policy that logs the metadata of every call of a service account outside kube-system."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
            {"level": "None"},
        ],
    }
