"""Values that turn on what the chart can do, and stand-ins for definitions that other projects install."""

from __future__ import annotations

from typing import Any, Final

Tree = dict[str, Any]

NAMESPACES: Final = ("lab-a", "lab-b")
SWITCHES: Final[dict[str, Tree]] = {
    "defaults": {},
    "two replicas": {"replicas": 2, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
    "replacement at once": {"strategy": {"type": "Recreate"}},
    "some namespaces": {"namespaces": list(NAMESPACES), "crds": {"install": False}, "rbac": {"userRoles": False}},
    "some namespaces and user roles": {"namespaces": list(NAMESPACES)},
    "no roles": {"rbac": {"create": False, "userRoles": False}},
    "foreign account": {"serviceAccount": {"create": False, "name": "platform"}},
    "own account": {"serviceAccount": {"name": "renamed", "annotations": {"example.org/role": "store"}}},
    "definitions that go": {"crds": {"keep": False}},
    "no definitions": {"crds": {"install": False}},
    "no service": {"metrics": {"service": False}},
    "monitoring": {
        "metrics": {
            "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
            "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
            "alerts": {"enabled": True, "labels": {"release": "prometheus"}},
            "dashboard": {"enabled": True, "annotations": {"folder": "synth"}},
        }
    },
    "network policy": {"networkPolicy": {"enabled": True, "metricsFrom": [{"podSelector": {}}]}},
    "webhook": {"admissionWebhook": {"enabled": True}},
    "webhook of some namespaces": {
        "admissionWebhook": {"enabled": True, "replicas": 1, "failurePolicy": "Fail"},
        "namespaces": list(NAMESPACES),
        "networkPolicy": {"enabled": True},
    },
    "webhook with cert-manager": {"admissionWebhook": {"enabled": True, "certManager": {"enabled": True}}},
    "webhook with an issuer": {
        "admissionWebhook": {
            "enabled": True,
            "certManager": {"enabled": True, "issuerRef": {"name": "platform", "kind": "ClusterIssuer"}},
        }
    },
    "network policy of sweeps": {
        "networkPolicy": {"jobs": {"enabled": True, "namespaces": list(NAMESPACES)}},
        "sweeps": {"output": {"endpoint": "minio.store.svc:9000", "bucket": "data"}},
    },
    "placement": {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        "priorityClass": {"create": True},
        "imagePullSecrets": ["pull"],
    },
    "further settings of the pods": {
        "extraArgs": ["--identity=me"],
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/certs"}],
        "podLabels": {"team": "imaging"},
        "podAnnotations": {"example.org/a": "b"},
        "commonLabels": {"cost-centre": "42"},
        "probes": {"startup": {"initialDelaySeconds": 3}},
    },
    "images elsewhere": {
        "global": {"imageRegistry": "mirror.example"},
        "image": {"digest": "sha256:" + "a" * 64},
        "renderer": {"image": {"tag": "9"}},
    },
    "other names": {"fullnameOverride": "imaging", "nameOverride": "sweeps"},
    "defaults of sweeps": {
        "sweeps": {
            "output": {"endpoint": "minio:9000", "bucket": "data", "secretRef": {"name": "store"}},
            "allowedServiceAccounts": ["store-access"],
            "gpu": {"runtimeClassName": "nvidia", "kernelCache": {"claim": {"name": "kernels"}}, "startupSeconds": 60},
        }
    },
}
"""What the switches turn on -> values; each is a release that lints, renders and is accepted by the API server."""


def build_open_definition(group: str, version: str, kind: str) -> Tree:
    """Return a definition of a namespaced kind whose objects may hold anything."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


FOREIGN_DEFINITIONS: Final = [
    *(
        build_open_definition("monitoring.coreos.com", "v1", kind)
        for kind in ("PodMonitor", "ServiceMonitor", "PrometheusRule")
    ),
    *(build_open_definition("cert-manager.io", "v1", kind) for kind in ("Certificate", "Issuer")),
]
"""Definitions of the Prometheus operator and of cert-manager."""
