"""Pod template of the render Jobs: container, resources, GPU placement and overlay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.attempt_input import STARTED_FILE
from synth_operator.manifests.kernel_volume import list_kernel_variables, mount_kernel_cache
from synth_operator.manifests.names import build_job_labels
from synth_operator.manifests.overlay import apply_overlay
from synth_operator.manifests.pods import build_pod_spec

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_api.resources.pod_template import Resources
    from synth_api.resources.synth_sweep import Gpu, SweepSpec
    from synth_operator.configuration import Configuration
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import JobKey

_GPU_ENVIRONMENT: Final = {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility,graphics"}
_PROBE_MARGIN_SECONDS: Final = 600
"""A pod opens its store before it starts up, and the renderer's own limit comes first."""


def build_render_template(
    sweep: SweepObject, key: JobKey, output: Output, configuration: Configuration
) -> dict[str, Any]:
    """Return the pod template, merged with the sweep's overlay.

    Raises:
        InputError: the overlay is invalid or not allowed.
    """
    spec = build_pod_spec(sweep, key, output, _build_container(sweep, key, configuration), configuration)
    spec["terminationGracePeriodSeconds"] = configuration.termination_grace_period_seconds
    spec["topologySpreadConstraints"] = [_build_spread(sweep, key)]
    if sweep.spec.priority_class_name:
        spec["priorityClassName"] = sweep.spec.priority_class_name
    if sweep.spec.gpu:
        spec.update(_build_placement(sweep.spec.gpu, configuration))
        mount_kernel_cache(spec, configuration.gpu.kernel_cache, sweep.namespace)
    template = {"metadata": {"labels": build_job_labels(sweep, key)}, "spec": spec}
    return apply_overlay(template, sweep.spec.pod_template, configuration)


def choose_device(spec: SweepSpec) -> str:
    """Return the device; by default `gpu` for a sweep with GPUs, so that a broken driver fails and no CPU renders."""
    return spec.device or ("gpu" if spec.gpu else "cpu")


def _build_container(sweep: SweepObject, key: JobKey, configuration: Configuration) -> dict[str, Any]:
    spec, cache = sweep.spec, configuration.gpu.kernel_cache
    environment = _GPU_ENVIRONMENT | list_kernel_variables(cache, sweep.namespace) if spec.gpu else {}
    workers = spec.workers_per_pod or (configuration.gpu.workers_per_pod if spec.gpu else None)
    is_on_gpu = choose_device(spec) != "cpu"
    arguments = {
        "--shard": key.shard,
        "--device": choose_device(spec),
        "--retries-per-run": spec.retries_per_run,
        **({"--gpus": spec.gpu.count} if spec.gpu else {}),
        **({"--workers": workers} if workers else {}),
        **({"--startup-seconds": configuration.gpu.startup_seconds} if is_on_gpu else {}),
    }
    return {
        "image": spec.image or configuration.renderer_image,
        # This command of the image has the compiled kernels in its cache; compiling them takes minutes.
        "command": ["render"],
        "args": [str(word) for pair in arguments.items() for word in pair],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": _build_resources(spec, configuration),
        **(_build_startup_probe(configuration) if is_on_gpu else {}),
    }


def _build_startup_probe(configuration: Configuration) -> dict[str, Any]:
    """Return a probe that makes start-up visible: until it succeeds, the container is not `started`.

    One probe waits for the file of the renderer, which has a limit of its own; polling would emit an Event each time.
    """
    wait = f"until [ -e {STARTED_FILE} ]; do sleep 1; done"
    return {
        "startupProbe": {
            "exec": {"command": ["sh", "-c", wait]},
            "timeoutSeconds": configuration.gpu.startup_seconds + _PROBE_MARGIN_SECONDS,
            "periodSeconds": 1,
            "failureThreshold": 1,
        }
    }


def _build_resources(spec: SweepSpec, configuration: Configuration) -> dict[str, dict[str, str]]:
    """Return the sweep's resources with the operator's defaults.

    A resource that the sweep names, as a request or a limit, has no default in either.
    """
    requested, default = spec.resources, configuration.render_resources
    overridden = {*_read_amounts(requested, "requests"), *_read_amounts(requested, "limits")}
    tree = {
        kind: {
            **{name: amount for name, amount in _read_amounts(default, kind).items() if name not in overridden},
            **_read_amounts(requested, kind),
        }
        for kind in ("requests", "limits")
    }
    if spec.gpu:
        tree["limits"][spec.gpu.resource_name or configuration.gpu.resource_name] = str(spec.gpu.count)
    return {kind: amounts for kind, amounts in tree.items() if amounts}


def _read_amounts(resources: Resources | None, kind: str) -> dict[str, str]:
    amounts = getattr(resources, kind) if resources else None
    return {name: str(amount) for name, amount in (amounts or {}).items()}


def _build_placement(gpu: Gpu, configuration: Configuration) -> dict[str, Any]:
    selector = configuration.gpu.node_selector if gpu.node_selector is None else gpu.node_selector
    tolerations = configuration.gpu.tolerations if gpu.tolerations is None else gpu.tolerations
    placement = {
        "nodeSelector": dict(selector),
        "tolerations": [toleration.model_dump(exclude_none=True) for toleration in tolerations],
        "runtimeClassName": gpu.runtime_class_name or configuration.gpu.runtime_class_name,
    }
    return {key: value for key, value in placement.items() if value}


def _build_spread(sweep: SweepObject, key: JobKey) -> dict[str, Any]:
    """Return a soft constraint that spreads the pods over the nodes."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": build_job_labels(sweep, key)},
    }
