"""Store in memory, and the work of pods on it, run by run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from synth_api.exit_codes import ExitCode
from synth_api.jobs.attempt_input import AttemptInput
from synth_api.jobs.batches import Batches
from synth_api.jobs.dataset_input import DatasetInput
from synth_api.jobs.messages import (
    BatchMessage,
    DeleteMessage,
    ExportMessage,
    FinalizeMessage,
    JobKind,
    Message,
    PlanMessage,
    PublishMessage,
)
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_dataset import SplitCount
from synth_api.resources.synth_sweep import RunFailure
from synth_dataset.attempts.render_order import order_runs
from synth_dataset.documents.attempt_document import AxisDocument

CRASHED = 137
DOWN = Problem(reason=Reason.STORE_UNREACHABLE, message="the store at store:9000 does not answer")


@dataclass
class BatchDocument:
    done: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)
    """Seconds that pods have worked on a run."""


@dataclass
class Plan:
    keys: list[str]
    cached: int
    todo: list[int]
    size: int
    batches: dict[int, BatchDocument] = field(default_factory=dict)


@dataclass
class Store:
    """Runs are keys; some always fail, some crash the worker."""

    up: bool = True
    runs: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    crashing: set[str] = field(default_factory=set)
    rendered: Counter[str] = field(default_factory=Counter)
    plans: dict[str, Plan] = field(default_factory=dict)
    measure_run: Callable[[int], int] = lambda _run: 1
    """Seconds that a run takes, by its number."""
    failure_message: str = "no luck"
    """Message of failed runs."""
    long_override: str = ""
    """Long value among the overrides of failed runs."""
    committed: list[str] | None = None
    """Keys of the dataset."""
    exported: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Pods that exported a part of a build."""
    sources_exist: bool = True
    """False once the datasets of the sweeps are deleted."""
    published: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Definition and attempts of each version of a SynthDataset."""
    refused_part: int | None = None
    """Part that can never be exported."""
    kill_after_publication: bool = False
    """True to kill the next publish pod after the version's document, before its message."""

    def plan(self, task: AttemptInput) -> tuple[int, PlanMessage]:
        if not self.up:
            return ExitCode.TRY_AGAIN, PlanMessage(problem=DOWN)
        if task.attempt not in self.plans:
            keys = list_keys(task)
            axis = AxisDocument(path="seed", values=tuple(range(len(keys))))
            todo = [int(run) for run in order_runs([axis]) if keys[run] not in self.runs]
            size = Batches.split(len(todo), task.parallelism, task.batch_size).size
            self.plans[task.attempt] = Plan(keys, len(keys) - len(todo), todo, size)
        plan = self.plans[task.attempt]
        return ExitCode.OK, PlanMessage(
            total=len(plan.keys),
            cached=plan.cached,
            todo=len(plan.todo),
            batch_size=plan.size,
            batches=Batches(len(plan.todo), plan.size).count,
        )

    def work(self, task: AttemptInput, batch: int, retries: int) -> tuple[int | None, BatchMessage]:
        """Render one run of a batch, or a second of it; return an exit code if the pod ends with it."""
        plan = self.plans[task.attempt]
        positions = Batches(len(plan.todo), plan.size).get_runs(batch)
        if not self.up:
            return ExitCode.TRY_AGAIN, BatchMessage(batch=batch, size=len(positions), problem=DOWN)
        document = plan.batches.setdefault(batch, BatchDocument())
        for run in (plan.todo[position] for position in positions):
            if run not in document.done and run not in document.failed:
                document.seconds[run] += 1
                if document.seconds[run] < self.measure_run(run):
                    break
                code = self._render(plan.keys[run], run, document, retries)
                if code:
                    return code, self._message(batch, len(positions), document)
                break
        over = len(document.done) + len(document.failed) == len(positions)
        return ExitCode.OK if over else None, self._message(batch, len(positions), document)

    def _render(self, key: str, run: int, document: BatchDocument, retries: int) -> int | None:
        if key in self.crashing:
            if document.tries[run] > retries:
                document.failed[run] = "WorkerDied"
                return None
            document.tries[run] += 1
            return CRASHED
        if key in self.failing:
            document.failed[run] = "Impossible"
            return None
        if key not in self.runs:
            self.runs.add(key)
            self.rendered[key] += 1
        document.done.add(run)
        return None

    def _message(self, batch: int, size: int, document: BatchDocument) -> BatchMessage:
        return BatchMessage(
            batch=batch,
            size=size,
            succeeded=len(document.done),
            failed=len(document.failed),
            failures=self._failures(document),
            reasons=Counter(document.failed.values()),
            seconds={"render": 1.0 * len(document.done)},
        )

    def _failures(self, document: BatchDocument) -> tuple[RunFailure, ...]:
        return tuple(
            RunFailure(
                run=run,
                overrides={"seed": run, "words": self.long_override},
                reason=reason,
                message=self.failure_message,
            )
            for run, reason in sorted(document.failed.items())
        )

    def finalize(self, task: AttemptInput) -> tuple[int, FinalizeMessage]:
        if not self.up:
            return ExitCode.TRY_AGAIN, FinalizeMessage(problem=DOWN)
        plan = self.plans[task.attempt]
        failed = {
            run: reason
            for document in plan.batches.values()
            for run, reason in document.failed.items()
            if plan.keys[run] not in self.runs
        }
        missing = [run for run, key in enumerate(plan.keys) if key not in self.runs and run not in failed]
        self.committed = [key for key in plan.keys if key in self.runs]
        cached = min(plan.cached, len(self.committed))
        return ExitCode.OK, FinalizeMessage(
            total=len(plan.keys),
            cached=cached,
            succeeded=len(self.committed) - cached,
            failed=len(failed),
            missing=len(missing),
            failures=self._failures(BatchDocument(failed=failed)),
            reasons=Counter(failed.values()),
            dataset="s3://bucket/sweeps/lab/beads/dataset.json",
        )

    def work_on_dataset(self, task: DatasetInput, kind: JobKind, index: int) -> tuple[int, Message]:
        """Export a part, publish the version or delete all versions, as the pod of a dataset does."""
        if not self.up:
            problems = {JobKind.EXPORT: ExportMessage, JobKind.PUBLISH: PublishMessage, JobKind.DELETE: DeleteMessage}
            return ExitCode.TRY_AGAIN, problems[kind](problem=DOWN)
        if kind is JobKind.EXPORT:
            if self.refused_part == index:
                problem = Problem(reason=Reason.DATASET_INVALID, message="there is no axis or column 'nmber'")
                return ExitCode.NEVER, ExportMessage(part=index, problem=problem)
            self.exported[task.build, index] += 1
            return ExitCode.OK, ExportMessage(part=index, runs=2)
        if kind is JobKind.DELETE:
            self.published.clear()
            return ExitCode.OK, DeleteMessage()
        assert all(self.exported[task.build, part] for part in range(task.parts)), "published before it is exported"
        if not self.sources_exist and task.definition.version not in self.published:
            problem = Problem(reason=Reason.STORE_DAMAGED, message="the dataset of a sweep is missing")
            return ExitCode.TRY_AGAIN, PublishMessage(problem=problem)
        version = task.definition.version
        content = task.definition.digest, tuple(source.attempt for source in task.datasets)
        if self.published.setdefault(version, content) != content:
            problem = Problem(reason=Reason.VERSION_PUBLISHED, message=f"version '{version}' is published already")
            return ExitCode.NEVER, PublishMessage(problem=problem)
        if self.kill_after_publication:
            self.kill_after_publication = False
            return CRASHED, PublishMessage()
        splits = tuple(SplitCount(split=split, runs=2, objects=9) for split in ("train", "val"))
        folders = tuple(f"{export.format}-12345678" for export in task.definition.exports)
        return ExitCode.OK, PublishMessage(splits=splits, root="ab" * 32, folders=folders)

    def delete(self, task: AttemptInput) -> tuple[int, DeleteMessage]:
        if not self.up:
            return ExitCode.TRY_AGAIN, DeleteMessage(problem=DOWN)
        removed = len(self.runs)
        self.runs.clear()
        self.plans.clear()
        self.committed = None
        return ExitCode.OK, DeleteMessage(runs=removed)


def list_keys(task: AttemptInput) -> list[str]:
    """Return the run keys: recipe version and value of the only axis."""
    values = task.axes[0].values or ()
    return [f"{task.recipe['version']}/{value}" for value in values]
