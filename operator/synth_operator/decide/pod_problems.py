"""Pod problems: the cause that keeps a Job's pods from running, with a remedy, in one sentence each."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.decide.outcome import find_ready_message, find_ready_reason
from synth_operator.kube.pod_object import NORMAL_WAITING
from synth_operator.manifests.pods import CREDENTIALS
from synth_operator.validation import to_sentence

if TYPE_CHECKING:
    from synth_api.resources.synth_dataset import DatasetStatus
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import JobContext
    from synth_operator.decide.observed_state import Refusal
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

_REPORTED_BY_PODS: Final = frozenset(
    {
        Reason.STORE_UNREACHABLE,
        Reason.ACCESS_DENIED,
        Reason.BUCKET_NOT_FOUND,
        Reason.CERTIFICATE_INVALID,
        Reason.STORE_FULL,
        Reason.STORE_DAMAGED,
        Reason.DEVICE_UNAVAILABLE,
        Reason.WORKER_FAILED,
    }
)
"""Reasons from termination messages and exit codes: a new running pod does not disprove them yet."""
_BEFORE_START: Final = frozenset(
    {
        Reason.SECRET_NOT_FOUND,
        Reason.IMAGE_UNAVAILABLE,
        Reason.UNSCHEDULABLE,
        Reason.QUOTA_EXCEEDED,
        Reason.POD_REFUSED,
        Reason.POD_TEMPLATE_INVALID,
        Reason.NAME_TAKEN,
    }
)
"""Reasons that keep a pod from starting: a running pod disproves them."""
_IMAGE_ERRORS: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
_MAX_SILENCE: Final = timedelta(minutes=1)
"""Time for a scheduler to say something about a pod."""
_MIN_MOUNT_TIME: Final = timedelta(seconds=30)
"""Age of a pod from which a warning about it counts: kubelets warn of volumes that appear a moment later."""
_FAILED_CREATE: Final = "FailedCreate"
"""Reason of the Job controller's warnings; all others are about a pod."""
_MAX_WARNING_AGE: Final = timedelta(minutes=15)
"""An older warning is no longer current: the Job controller would have repeated it."""
_NOT_UTF_8: Final = re.compile(r"invalid UTF-8|error while marshaling")
_HOST_PATH_FORBIDDEN: Final = re.compile(r"violates PodSecurity .*\bvolume \"kernels\"")
_NO_HOST_PATH: Final = (
    "Pod Security of this namespace forbids the kernel cache on nodes, a hostPath volume: name a claim instead, or "
    "list the namespaces that allow it; pods of others compile for themselves (sweeps.gpu.kernelCache of the chart)."
)
_QUOTA: Final = re.compile(r"exceeded quota: ?(.*)")
_ERROR_PREFIX: Final = re.compile(r"^Error creating: |^pods \"[^\"]*\" is forbidden: ")
_MIN_PROVEN_RUNTIME: Final = timedelta(minutes=6)
"""Longer than a worker waits for its store."""
_MIN_EXTRA_CRASHES: Final = 3
"""Crashed pods beyond the retries of one index before the whole Job counts as failing."""


def find_pod_problem(
    context: JobContext, status: SweepStatus | DatasetStatus, job: JobObject, *, overdue: bool = False
) -> Problem | None:
    """Return the problem that keeps an unfinished Job from progress; None if a pod runs or is about to start.

    What an ended pod reported counts beside running ones only while the Job's next batch is overdue.
    """
    pods = context.find_pods(job)
    running = any(pod.phase == "Running" and pod.deletion_time is None for pod in pods)
    started = running or any(pod.is_finished for pod in pods)
    known = find_known_problem(context, status, started=started)
    if running:
        if overdue and (report := _find_report(context, job, pods)):
            return report
        return None if any(_is_proven(context, pod) for pod in pods) else known
    waiting = [problem for pod in pods if (problem := _find_start_problem(context, pod))]
    return next(iter(waiting), None) or _find_warning(context, job, pods) or _find_report(context, job, pods) or known


def explain_refusal(context: JobContext, refusal: Refusal) -> Problem:
    """Return the problem behind the API's refusal to create a Job or ConfigMap."""
    text = refusal.message.strip().rstrip(".")
    if refusal.code == 409:
        message = f"The name '{refusal.name}' belongs to an object of another owner; delete that object."
        return Problem(reason=Reason.NAME_TAKEN, message=message)
    if _QUOTA.search(text):
        return _explain_quota(text)
    if refusal.code == 422 and context.has_pod_template:
        message = f"The API server refuses the pod template: {text}."
        return Problem(reason=Reason.POD_TEMPLATE_INVALID, message=message)
    return Problem(reason=Reason.POD_REFUSED, message=f"The API server refuses '{refusal.name}': {text}.")


def explain_failure(pod: PodObject | None) -> Problem:
    """Return the cause of a failed pod: its termination message, else its exit code; None is a deleted pod."""
    if pod is None:
        message = "The pod disappeared without a termination message."
        return Problem(reason=Reason.WORKER_FAILED, message=message)
    if pod.problem:
        return Problem(reason=pod.problem.reason, message=to_sentence(pod.problem.message))
    cause = f" ({pod.exit_reason})" if pod.exit_reason not in ("", "Error", "Completed") else ""
    claim = " and a termination message that no worker writes" if pod.has_refused_message else ""
    end = "before it started" if pod.exit_code is None else f"with exit code {pod.exit_code}"
    return Problem(reason=Reason.WORKER_FAILED, message=f"The {pod.kind} pod ended {end}{cause}{claim}; see its log.")


def find_known_problem(context: JobContext, status: SweepStatus | DatasetStatus, *, started: bool) -> Problem | None:
    """Return the problem in the previous status of this attempt unless a pod that started has disproved it."""
    previous = context.previous_status
    reason = find_ready_reason(previous)
    same_attempt = previous.attempt_hash and previous.attempt_hash == status.attempt_hash
    same_spec = previous.observed_generation == context.owner.generation
    if not same_attempt or not same_spec or previous.waiting_since is None:
        return None
    if reason in _REPORTED_BY_PODS or (reason in _BEFORE_START and not started):
        return Problem(reason=reason, message=find_ready_message(previous))
    return None


def _is_proven(context: JobContext, pod: PodObject) -> bool:
    """Return True if a pod has run for longer than a worker waits for its store, and its GPU has started up."""
    running = pod.phase == "Running" and pod.deletion_time is None and not pod.is_starting
    return running and context.now - pod.created > _MIN_PROVEN_RUNTIME


def _find_start_problem(context: JobContext, pod: PodObject) -> Problem | None:
    if pod.is_finished or pod.deletion_time is not None:
        return None
    text = " ".join(pod.waiting_message.split()).rstrip(".")
    if unscheduled := _find_scheduling_problem(context, pod):
        return unscheduled
    subject = _name_waiting_container(pod)
    if pod.waiting_reason in _IMAGE_ERRORS:
        detail = re.sub(r"^Back-off pulling image \"[^\"]*\":? ?(ErrImagePull: )?", "", text)
        message = f"The image of the {subject} cannot be pulled: {detail or text or pod.waiting_reason}."
        return Problem(reason=Reason.IMAGE_UNAVAILABLE, message=message)
    if pod.waiting_reason == "CreateContainerConfigError" and "secret" in text.lower():
        message = f"The store's credentials are missing: {text}; create the Secret."
        return Problem(reason=Reason.SECRET_NOT_FOUND, message=message)
    if pod.waiting_reason in NORMAL_WAITING:
        return None
    if _NOT_UTF_8.search(text):
        return _explain_binary_secret(context)
    message = f"The {subject} does not start: {text or pod.waiting_reason}."
    return Problem(reason=Reason.POD_REFUSED, message=message)


def _find_scheduling_problem(context: JobContext, pod: PodObject) -> Problem | None:
    message = ""
    if pod.unschedulable:
        message = f"No node can take the {pod.kind} pod: {pod.unschedulable.strip().rstrip('.')}."
    elif pod.silent_scheduler and context.now - pod.created >= _MAX_SILENCE:
        message = f"The scheduler '{pod.silent_scheduler}' has said nothing about the {pod.kind} pod for a minute."
    return Problem(reason=Reason.UNSCHEDULABLE, message=message) if message else None


def _name_waiting_container(pod: PodObject) -> str:
    own = pod.waiting_container in ("", pod.kind)
    return f"{pod.kind} pod" if own else f"{pod.kind} pod's container '{pod.waiting_container}'"


def _explain_binary_secret(context: JobContext) -> Problem:
    """Return the problem of a variable that the node cannot pass to a container; only a Secret holds any bytes."""
    output = context.output
    secret = f"the Secret '{output.secret_ref.name}'" if output and output.secret_ref else "a Secret"
    *keys, last = (name for name, _ in CREDENTIALS)
    message = (
        f"The store's credentials cannot be used: the value of {', '.join(keys)} or {last} in {secret} is not UTF-8; "
        "make the Secret again with kubectl create secret generic --from-literal."
    )
    return Problem(reason=Reason.ACCESS_DENIED, message=message)


def _find_warning(context: JobContext, job: JobObject, pods: tuple[PodObject, ...]) -> Problem | None:
    """Return the problem in the latest warning about the Job or its pods unless a pod was created after it."""
    newest = max((pod.created for pod in pods), default=job.created)
    for warning in sorted(context.children.warnings, key=lambda warning: warning.at, reverse=True):
        current = warning.at >= newest and context.now - warning.at < _MAX_WARNING_AGE
        if warning.job != job.name or not current:
            continue
        if warning.reason != _FAILED_CREATE and context.now - newest >= _MIN_MOUNT_TIME:
            message = f"The {job.kind.value} pod does not start: {warning.message.strip().rstrip('.')}."
            return Problem(reason=Reason.POD_REFUSED, message=message)
        if warning.reason == _FAILED_CREATE and not job.active:
            text = _ERROR_PREFIX.sub("", _ERROR_PREFIX.sub("", warning.message)).strip().rstrip(".")
            if _QUOTA.search(text):
                return _explain_quota(text)
            if _HOST_PATH_FORBIDDEN.search(text):
                return Problem(reason=Reason.POD_REFUSED, message=_NO_HOST_PATH)
            message = f"The {job.kind.value} pod cannot be created: {text}."
            return Problem(reason=Reason.POD_REFUSED, message=message)
    return None


def _explain_quota(text: str) -> Problem:
    match = _QUOTA.search(text)
    return Problem(
        reason=Reason.QUOTA_EXCEEDED,
        message=f"The namespace's quota is exceeded: {match[1] if match else text}.",
    )


def _find_report(context: JobContext, job: JobObject, pods: tuple[PodObject, ...]) -> Problem | None:
    """Return the cause of the last pod's end if the pods of an Indexed Job fail one after another."""
    ended = sorted(
        (pod for pod in pods if pod.is_finished and pod.finish_time and pod.index not in job.completed_indexes),
        key=lambda pod: (pod.finish_time or pod.created, pod.name),
    )
    if not ended or job.kind not in (JobKind.RENDER, JobKind.EXPORT):
        return None
    if any(pod.phase == "Succeeded" for pod in ended):  # the Job controller is about to count it
        return None
    last = ended[-1]
    if last.exit_code == ExitCode.TRY_AGAIN:
        return explain_failure(last)
    crashed = [
        pod for pod in ended if pod.exit_code not in (ExitCode.STOPPED, ExitCode.TRY_AGAIN) and not pod.is_disrupted
    ]
    if len(crashed) >= context.retries + _MIN_EXTRA_CRASHES and not job.completed_indexes:
        return explain_failure(last)
    return None
