"""Job controller and nodes: they create, run, end and count pods."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

from controllers import build_controller

from simulated_cluster.api import MemoryApi
from simulated_cluster.store import CRASHED, Store
from synth_api.exit_codes import ExitCode
from synth_api.jobs.attempt_input import INPUT_FILE, AttemptInput
from synth_api.jobs.dataset_input import DATASET_INPUT_FILE, DatasetInput
from synth_api.jobs.messages import JobKind, Message, write_message
from synth_api.jobs.names import INPUT_ANNOTATION, JOB_LABEL
from synth_operator.kube.api import JsonObject, Resource
from synth_operator.kube.events import JobWarning

_JOB_NAME = "batch.kubernetes.io/job-name"
_INDEX = "batch.kubernetes.io/job-completion-index"


class Nodes:
    """Advances every Job and pod by one second per step."""

    def __init__(self, api: MemoryApi, store: Store) -> None:
        self._api = api
        self._store = store
        self.waiting_state: dict[str, Any] = {}
        """State of containers that cannot start: `{"waiting": {"reason": …}}`; empty if they can."""
        self.unschedulable = ""
        self.quota = ""
        """Message of the exceeded quota; empty if pods may be created."""
        self.warnings: list[JobWarning] = []
        self.startup_seconds = 0
        """Seconds that a render pod runs before its first run."""
        self.deliver_messages = True
        """True if termination messages arrive."""
        self.count_pods = True
        """True if the Job controller counts pods that ended."""

    def step(self) -> None:
        for pod in self._api.list_all(Resource.PODS):
            self._step_pod(pod)
        for job in self._api.list_all(Resource.JOBS):
            self._step_job(job)

    # Pods

    def _step_pod(self, pod: JsonObject) -> None:
        status, metadata = pod["status"], pod["metadata"]
        if status["phase"] not in ("Pending", "Running"):
            return
        if "deletionTimestamp" in metadata:
            self._api.remove(Resource.PODS, metadata["name"])
        elif status["phase"] == "Pending":
            self._start(pod)
        else:
            self._work(pod)

    def _start(self, pod: JsonObject) -> None:
        if self.unschedulable:
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
            self._set_status(pod, {"phase": "Pending", "conditions": [{**condition, "message": self.unschedulable}]})
        elif self.waiting_state:
            self._set_status(pod, {"phase": "Pending", "containerStatuses": [{"state": self.waiting_state}]})
        elif self._read_input(pod) is not None:
            self._run_container(pod, started="startupProbe" not in pod["spec"]["containers"][0])

    def _run_container(self, pod: JsonObject, *, started: bool) -> None:
        state = {"running": {"startedAt": pod.setdefault("_started_at", self._api.format_time())}}
        self._set_status(pod, {"phase": "Running", "containerStatuses": [{"state": state, "started": started}]})

    def _set_status(self, pod: JsonObject, status: JsonObject) -> None:
        start = pod["status"].get("startTime") or (status["phase"] == "Running" and self._api.format_time())
        status |= {"startTime": start} if start else {}
        if pod["status"] != status:
            pod["status"] = status
            self._api.bump_version(pod)

    def _work(self, pod: JsonObject) -> None:
        task = self._read_input(pod)
        assert task is not None
        code: int | None
        message: Message
        if isinstance(task, DatasetInput):
            kind = JobKind(pod["metadata"]["labels"][JOB_LABEL])
            code, message = self._store.work_on_dataset(task, kind, _read_index(pod))
            if code == CRASHED:
                self.end_pod(pod, code)
            else:
                self._end_work(pod, code, message)
            return
        match JobKind(pod["metadata"]["labels"][JOB_LABEL]):
            case JobKind.PLAN:
                code, message = self._store.plan(task)
            case JobKind.FINALIZE:
                code, message = self._store.finalize(task)
            case JobKind.DELETE:
                code, message = self._store.delete(task)
            case JobKind.RENDER if pod.setdefault("_waited", 0) < self.startup_seconds:
                pod["_waited"] += 1
                return
            case JobKind.RENDER if not pod["status"]["containerStatuses"][0]["started"]:
                self._run_container(pod, started=True)
                return
            case JobKind.RENDER:
                shard, retries = _read_arguments(pod)
                batch = shard * _find_shard_size() + int(pod["metadata"]["annotations"][_INDEX])
                code, message = self._store.work(task, batch, retries)
            case kind:
                raise AssertionError(kind)
        self._end_work(pod, code, message)

    def _end_work(self, pod: JsonObject, code: int | None, message: Message) -> None:
        if code is not None:
            self.end_pod(pod, code, write_message(message).decode() if self.deliver_messages else "")

    def end_pod(self, pod: JsonObject, code: int, message: str = "") -> None:
        terminated = {"exitCode": int(code), "message": message, "finishedAt": self._api.format_time()}
        phase = "Succeeded" if code == ExitCode.OK else "Failed"
        self._set_status(pod, {"phase": phase, "containerStatuses": [{"state": {"terminated": terminated}}]})

    def _read_input(self, pod: JsonObject) -> AttemptInput | DatasetInput | None:
        """Return the mounted input, or None if its ConfigMap is missing and the pod cannot start."""
        if "_mounted" not in pod:
            task = self._mount(pod)
            if task is None:
                return None
            pod["_mounted"] = task
        mounted: AttemptInput | DatasetInput = pod["_mounted"]
        return mounted

    def _mount(self, pod: JsonObject) -> AttemptInput | DatasetInput | None:
        volume = pod["spec"]["volumes"][0]
        if "downwardAPI" in volume:
            (item,) = volume["downwardAPI"]["items"]
            return _parse_input(item["path"], pod["metadata"]["annotations"][INPUT_ANNOTATION])
        there = self._api.objects.get((Resource.INPUTS, volume["configMap"]["name"]))
        return _parse_input(*next(iter(there["data"].items()))) if there else None

    # Jobs

    def _step_job(self, job: JsonObject) -> None:
        if job["status"].get("conditions") or not self.count_pods:
            return
        pods = [
            pod
            for pod in self._api.list_all(Resource.PODS)
            if pod["metadata"]["labels"][_JOB_NAME] == job["metadata"]["name"]
        ]
        status = _Counts(job, pods)
        active = [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]
        alive = [pod for pod in active if "deletionTimestamp" not in pod["metadata"]]
        wanted = 0 if job["spec"].get("suspend") or status.end else job["spec"].get("parallelism", 1)
        for pod in alive[wanted:]:
            self._api.remove_dependent(Resource.PODS, pod["metadata"]["name"], pod)
        busy = {_read_index(pod) for pod in active}
        free = [index for index in status.open if index not in busy]
        if self.quota:
            self._warn(job, len(active))
        elif not status.end:
            for index in free[: max(0, wanted - len(active))]:
                self._create_pod(job, index)
        self._update_status(job, status, alive)

    def _warn(self, job: JsonObject, active: int) -> None:
        """Emit a warning once a minute while pods cannot be created."""
        late = not self.warnings or self._api.now - self.warnings[-1].at >= timedelta(minutes=1)
        if not active and late:
            text = f'Error creating: pods "x" is forbidden: {self.quota}'
            self.warnings.append(JobWarning(job["metadata"]["name"], "FailedCreate", text, self._api.now))

    def _update_status(self, job: JsonObject, counts: _Counts, alive: list[JsonObject]) -> None:
        status: JsonObject = {
            "active": len(alive),
            "ready": sum(_is_ready(pod) for pod in alive),
            "completedIndexes": _format_indexes(counts.completed),
            "failedIndexes": _format_indexes(counts.failed),
        }
        if counts.end and not alive:
            kind, reason = counts.end
            status["conditions"] = [
                {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": self._api.format_time()}
            ]
        if status != job["status"]:
            job["status"] = status
            self._api.bump_version(job)

    def _create_pod(self, job: JsonObject, index: int) -> None:
        template = json.loads(json.dumps(job["spec"]["template"]))
        labels = {**template["metadata"]["labels"], _JOB_NAME: job["metadata"]["name"]}
        annotations = {**template["metadata"].get("annotations", {}), _INDEX: str(index)}
        number = sum(pod["metadata"]["labels"][_JOB_NAME] == job["metadata"]["name"] for pod in self._created)
        metadata = {
            "name": f"{job['metadata']['name']}-{index}-{number}",
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [build_controller(Resource.JOBS, job["metadata"]["name"], job["metadata"]["uid"])],
        }
        self._created.append({"metadata": metadata})
        self._api.add(Resource.PODS, {"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}})

    @property
    def _created(self) -> list[JsonObject]:
        return self.__dict__.setdefault("made", [])


class _Counts:
    """Counts of a Job's pods by the Job controller; they stay when pods are deleted."""

    def __init__(self, job: JsonObject, pods: list[JsonObject]) -> None:
        spec = job["spec"]
        memory = job.setdefault("_memory", {"completed": set(), "failures": Counter(), "seen": set()})
        never = False
        for pod in pods:
            phase, name = pod["status"]["phase"], pod["metadata"]["name"]
            if phase == "Succeeded":
                memory["completed"].add(_read_index(pod))
            elif phase == "Failed" and name not in memory["seen"]:
                memory["seen"].add(name)
                code = pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]
                never = never or code == ExitCode.NEVER
                if code not in (ExitCode.STOPPED, ExitCode.NEVER):
                    memory["failures"][_read_index(pod)] += 1
        limit = spec.get("backoffLimitPerIndex", spec.get("backoffLimit", 0))
        self.completed = sorted(memory["completed"])
        self.failed = sorted(
            index for index, n in memory["failures"].items() if n > limit and index not in memory["completed"]
        )
        self.gives_up = bool(self.failed) and spec.get("maxFailedIndexes") == 0
        over = {*self.completed, *self.failed}
        self.open = [index for index in range(spec.get("completions", 1)) if index not in over]
        self.end = self._end(never)

    def _end(self, never: bool) -> tuple[str, str] | None:
        if never:
            return "Failed", "PodFailurePolicy"
        if self.gives_up:
            return "Failed", "MaxFailedIndexesExceeded"
        if self.open:
            return None
        return ("Failed", "FailedIndexes") if self.failed else ("Complete", "CompletionsReached")


def list_running_pods(api: MemoryApi) -> list[JsonObject]:
    """Return the pods in the phase Running."""
    return [pod for pod in api.list_all(Resource.PODS) if pod["status"]["phase"] == "Running"]


def _parse_input(file: str, content: str) -> AttemptInput | DatasetInput:
    assert file in (INPUT_FILE, DATASET_INPUT_FILE)
    model = AttemptInput if file == INPUT_FILE else DatasetInput
    return model.model_validate_json(content)


def _is_ready(pod: JsonObject) -> bool:
    return bool(pod["status"]["phase"] == "Running" and pod["status"]["containerStatuses"][0]["started"])


def _read_index(pod: JsonObject) -> int:
    return int(pod["metadata"]["annotations"][_INDEX])


def _read_arguments(pod: JsonObject) -> tuple[int, int]:
    words = pod["spec"]["containers"][0]["args"]
    return int(words[words.index("--shard") + 1]), int(words[words.index("--retries-per-run") + 1])


def _find_shard_size() -> int:
    from synth_api.jobs import batches

    return batches.SHARD_BATCHES


def _format_indexes(indexes: list[int]) -> str:
    return ",".join(map(str, indexes))
