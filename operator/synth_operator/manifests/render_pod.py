"""The pod template of the render Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.attempt_input import SCRATCH_FOLDER
from synth_operator.manifests.names import job_labels
from synth_operator.manifests.overlay import overlaid
from synth_operator.manifests.pods import pod_spec

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import Gpu, Resources, SweepSpec
    from synth_operator.configuration import Configuration
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import Task

_GPU_ENVIRONMENT: Final = {
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility,graphics",
    "OPTIX_CACHE_PATH": f"{SCRATCH_FOLDER}/optix",
    "CUDA_CACHE_PATH": f"{SCRATCH_FOLDER}/cuda",
}


def render_template(sweep: SweepObject, task: Task, output: Output, rules: Configuration) -> dict[str, Any]:
    """The template with the sweep's overlay.

    Raises:
        InputError: the overlay is not what it may be.
    """
    spec = pod_spec(sweep, task, output, _container(sweep.spec, task, rules), rules)
    spec["terminationGracePeriodSeconds"] = rules.termination_grace_period_seconds
    spec["topologySpreadConstraints"] = [_spread(sweep, task)]
    if sweep.spec.priority_class_name:
        spec["priorityClassName"] = sweep.spec.priority_class_name
    if sweep.spec.gpu:
        spec.update(_placement(sweep.spec.gpu, rules))
    template = {"metadata": {"labels": job_labels(sweep, task)}, "spec": spec}
    return overlaid(template, sweep.spec.pod_template, rules)


def device_of(spec: SweepSpec) -> str:
    """What renders: `gpu` when the sweep asks for GPUs, so that a broken driver is never paid for in silence."""
    return spec.device or ("gpu" if spec.gpu else "cpu")


def _container(spec: SweepSpec, task: Task, rules: Configuration) -> dict[str, Any]:
    environment = _GPU_ENVIRONMENT if spec.gpu else {}
    arguments = {
        "--shard": task.shard,
        "--device": device_of(spec),
        "--retries-per-run": spec.retries_per_run,
    }
    return {
        "image": spec.image or rules.renderer_image,
        # The image's own: it brings the compiled kernels along, which take minutes to make anew.
        "command": ["render"],
        "args": [str(word) for pair in arguments.items() for word in pair],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": _resources(spec, rules),
    }


def _resources(spec: SweepSpec, rules: Configuration) -> dict[str, dict[str, str]]:
    """The sweep's over the operator's: a default gives way as a whole where the sweep names the same resource."""
    own, default = spec.resources, rules.render_resources
    named = {*_of(own, "requests"), *_of(own, "limits")}
    tree = {
        kind: {
            **{name: amount for name, amount in _of(default, kind).items() if name not in named},
            **_of(own, kind),
        }
        for kind in ("requests", "limits")
    }
    if spec.gpu:
        tree["limits"][spec.gpu.resource_name or rules.gpu.resource_name] = str(spec.gpu.count)
    return {kind: amounts for kind, amounts in tree.items() if amounts}


def _of(resources: Resources | None, kind: str) -> dict[str, str]:
    amounts = getattr(resources, kind) if resources else None
    return {name: str(amount) for name, amount in (amounts or {}).items()}


def _placement(gpu: Gpu, rules: Configuration) -> dict[str, Any]:
    selector = rules.gpu.node_selector if gpu.node_selector is None else gpu.node_selector
    tolerations = rules.gpu.tolerations if gpu.tolerations is None else gpu.tolerations
    placement = {
        "nodeSelector": dict(selector),
        "tolerations": [toleration.model_dump(exclude_none=True) for toleration in tolerations],
        "runtimeClassName": gpu.runtime_class_name or rules.gpu.runtime_class_name,
    }
    return {key: value for key, value in placement.items() if value}


def _spread(sweep: SweepObject, task: Task) -> dict[str, Any]:
    """Softly: over the nodes as far as that goes."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": job_labels(sweep, task)},
    }
