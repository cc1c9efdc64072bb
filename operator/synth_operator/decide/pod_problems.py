"""What keeps a Job's pods from running, in one sentence that says what would help."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind, Message
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.decide.outcome import ready_message, ready_reason
from synth_operator.validation import sentence

if TYPE_CHECKING:
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import View
    from synth_operator.decide.observed_state import Refusal
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

_REPORTED: Final = frozenset(
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
"""What only a pod that ended can know: a new pod that runs has not disproved it yet."""
_SEEN: Final = frozenset(
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
"""What is seen from outside: it is over once a pod runs."""
_IMAGE: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
_HARMLESS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_CURRENT: Final = timedelta(minutes=15)
"""Age beyond which the Job controller has had time to warn again."""
_QUOTA: Final = re.compile(r"exceeded quota: ?(.*)")
_CLUTTER: Final = re.compile(r"^Error creating: |^pods \"[^\"]*\" is forbidden: ")
_PROVEN: Final = timedelta(minutes=6)
_TELLING: Final = 3
"""Pods that must have crashed, beyond a run's tries, before a Job is said to fail as a whole."""


def obstacle(view: View, status: SweepStatus, job: JobObject) -> Problem | None:
    """Why nothing of an unfinished Job runs; None when something does, or will in a moment."""
    pods = view.pods_of(job)
    running = any(pod.phase == "Running" and pod.deleted is None for pod in pods)
    before = remembered(view, status, started=running or any(pod.over for pod in pods))
    if running:
        return None if any(_lives(view, pod) for pod in pods) else before
    waiting = [problem for pod in pods if (problem := _waiting(pod))]
    return next(iter(waiting), None) or _refused_pods(view, job, pods) or _reported(view, job, pods) or before


def refusal_problem(view: View, refusal: Refusal) -> Problem:
    """Why the API did not let a Job or ConfigMap be made."""
    text = refusal.message.strip().rstrip(".")
    if refusal.code == 409:
        message = f"The name '{refusal.name}' is taken by something that is not this sweep's; delete it."
        return Problem(reason=Reason.NAME_TAKEN, message=message)
    if _QUOTA.search(text):
        return _quota(text)
    if refusal.code == 422 and view.spec.pod_template:
        message = f"The API server refuses the pod template: {text}."
        return Problem(reason=Reason.POD_TEMPLATE_INVALID, message=message)
    return Problem(reason=Reason.POD_REFUSED, message=f"The API server refuses '{refusal.name}': {text}.")


def failure(pod: PodObject | None) -> Problem:
    """Why a pod ended badly: in its own words, or by its exit code."""
    if pod is None:
        return Problem(reason=Reason.WORKER_FAILED, message="The pod is gone without a word.")
    problem = problem_of(pod.message)
    if problem:
        return Problem(reason=problem.reason, message=sentence(problem.message))
    why = f" ({pod.exit_reason})" if pod.exit_reason not in ("", "Error") else ""
    how = "before it started" if pod.exit_code is None else f"with exit code {pod.exit_code}"
    return Problem(reason=Reason.WORKER_FAILED, message=f"The {pod.kind} pod ended {how}{why}; its log says more.")


def problem_of(message: Message | None) -> Problem | None:
    """What a message complains of."""
    return message.problem if message else None


def remembered(view: View, status: SweepStatus, *, started: bool) -> Problem | None:
    """What the status before says of this attempt, as long as nothing has disproved it."""
    before = view.before
    reason = ready_reason(before)
    same = before.attempt and status.attempt and before.attempt.hash == status.attempt.hash
    if not same or before.observed_generation != view.sweep.generation or before.waiting_since is None:
        return None
    if reason in _REPORTED or (reason in _SEEN and not started):
        return Problem(reason=reason, message=ready_message(view.before))
    return None


def _lives(view: View, pod: PodObject) -> bool:
    """Whether a pod has run for longer than a worker waits for its store."""
    return pod.phase == "Running" and pod.deleted is None and view.now - pod.created > _PROVEN


def _waiting(pod: PodObject) -> Problem | None:
    if pod.over or pod.deleted is not None:
        return None
    text = " ".join(pod.waiting_message.split()).rstrip(".")
    if pod.unschedulable:
        message = f"No node can take the {pod.kind} pod: {pod.unschedulable.strip().rstrip('.')}."
        return Problem(reason=Reason.UNSCHEDULABLE, message=message)
    if pod.waiting in _IMAGE:
        detail = re.sub(r"^Back-off pulling image \"[^\"]*\":? ?(ErrImagePull: )?", "", text)
        message = f"The image of the {pod.kind} pod cannot be pulled: {detail or text or pod.waiting}."
        return Problem(reason=Reason.IMAGE_UNAVAILABLE, message=message)
    if pod.waiting == "CreateContainerConfigError" and "secret" in text.lower():
        message = f"The credentials of the store are not there: {text}; create the Secret."
        return Problem(reason=Reason.SECRET_NOT_FOUND, message=message)
    if pod.waiting in _HARMLESS:
        return None
    return Problem(reason=Reason.POD_REFUSED, message=f"The {pod.kind} pod does not start: {text or pod.waiting}.")


def _refused_pods(view: View, job: JobObject, pods: tuple[PodObject, ...]) -> Problem | None:
    """From the Job controller's warnings, unless a pod could be made after them."""
    newest = max((pod.created for pod in pods), default=job.created)
    for warning in sorted(view.observed.warnings, key=lambda warning: warning.at, reverse=True):
        fresh = warning.at >= newest and view.now - warning.at < _CURRENT
        if warning.job == job.name and fresh and not job.active:
            text = _CLUTTER.sub("", _CLUTTER.sub("", warning.message)).strip().rstrip(".")
            if _QUOTA.search(text):
                return _quota(text)
            return Problem(reason=Reason.POD_REFUSED, message=f"The {job.kind.value} pod cannot be made: {text}.")
    return None


def _quota(text: str) -> Problem:
    found = _QUOTA.search(text)
    return Problem(
        reason=Reason.QUOTA_EXCEEDED,
        message=f"The namespace's quota is exceeded: {found[1] if found else text}.",
    )


def _reported(view: View, job: JobObject, pods: tuple[PodObject, ...]) -> Problem | None:
    """What the last pod of a render Job said, when it had to give up."""
    ended = sorted(
        (pod for pod in pods if pod.over and pod.ended and pod.index not in job.completed),
        key=lambda pod: (pod.ended or pod.created, pod.name),
    )
    if not ended or job.kind is not JobKind.RENDER:
        return None
    if any(pod.phase == "Succeeded" for pod in ended):  # its Job will count it in a moment
        return None
    last = ended[-1]
    if last.exit_code == ExitCode.TRY_AGAIN:
        return failure(last)
    crashed = [
        pod for pod in ended if pod.exit_code not in (ExitCode.STOPPED, ExitCode.TRY_AGAIN) and not pod.disrupted
    ]
    if len(crashed) >= view.spec.retries_per_run + _TELLING and not job.completed:
        return failure(last)
    return None
