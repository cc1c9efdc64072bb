"""What containerd, its network plugin, the kubelet and the API server read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from harness.place import CONTAINERD, DNS_SERVICE, NODE_PODS

if TYPE_CHECKING:
    from harness.place import Place

PAUSE_IMAGE: Final = "localhost/pause:local"
BIN: Final = "/usr/lib/cni"


def write_node_files(place: Place) -> None:
    """All of them, in the cluster's folder."""
    for folder in ("cni", "log", "pods", "containerd"):
        (place.folder / folder).mkdir(exist_ok=True)
    texts = {
        "containerd.toml": containerd_toml(place),
        "cni/10-pods.conflist": json.dumps(pod_network(place)),
        "kubelet.json": json.dumps(kubelet(place)),
        "audit.json": json.dumps(audit_policy()),
        # Names that nobody knows are refused at once, instead of being asked for on a line that ends in nothing.
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    }
    for name, text in texts.items():
        (place.folder / name).write_text(text)


def containerd_toml(place: Place) -> str:
    """runc, because crun refuses the hybrid control groups of older machines."""
    return f"""
version = 2
root = "{place.folder}/containerd"
state = "/run/containerd/state"
[grpc]
  address = "{CONTAINERD}"
[ttrpc]
  address = "{CONTAINERD}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{BIN}"
    conf_dir = "{place.folder}/cni"
"""


def pod_network(place: Place) -> dict[str, Any]:
    """One bridge; addresses are noted in the cluster's own folder."""
    ipam = {
        "type": "host-local",
        "dataDir": str(place.folder / "addresses"),
        "ranges": [[{"subnet": NODE_PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def kubelet(place: Place) -> dict[str, Any]:
    """A node that gives all it has to pods, and asks for no more rights than a container of a CI service has."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(place.pki("ca.crt"))},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(place.pki("node.crt")),
        "tlsPrivateKeyFile": str(place.pki("node.key")),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{place.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "podLogsDir": str(place.folder / "pods"),
        "volumePluginDir": str(place.folder / "plugins"),
        "resolvConf": str(place.folder / "resolv.conf"),
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "5s",
    }


def audit_policy() -> dict[str, Any]:
    """Every call of a service account outside kube-system: who, what, on which object, with which answer."""
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
