from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from importlib import import_module
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from smallest_recipe import SMALLEST_RECIPE

from synth_api.jobs.attempt_input import AttemptInput, hash_attempt
from synth_api.jobs.messages import read_message
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.version import ENGINE_VERSION
from synth_dataset.jobs import job_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth_api.jobs.messages import Message
    from synth_dataset.store.base import Store

SEED = "initial_runtime_state.seed"


@dataclass(frozen=True)
class Ended:
    """How a Job's pod ended."""

    code: int
    message: Message
    log: list[dict[str, Any]]
    text: str


@dataclass(frozen=True)
class Pod:
    """The small Jobs of one sweep."""

    folder: Path
    given: AttemptInput
    environment: Mapping[str, str]

    def change_input(self, **changes: Any) -> Pod:
        """Return the pod of another input; a changed sweep has another plan and attempt."""
        given = self.given.model_copy(update=changes)
        if not {"plan", "attempt"} & changes.keys():
            plan = given.build_sweep().plan(given.output.identity, given.batch_size)
            given = given.model_copy(update={"plan": plan, "attempt": hash_attempt("uid", plan, "", 0)})
        return replace(self, given=given)

    def with_environment(self, **changes: str) -> Pod:
        return replace(self, environment={**self.environment, **changes})

    def run(self, job: str) -> Ended:
        """In this process: starting one for each takes a second."""
        module = import_module(f"synth_dataset.jobs.{job}")
        with patch.dict(os.environ, self.environment), redirect_stderr(StringIO()) as log:
            code = job_process.run(module.JOB, self.arguments())
        return self.read_end(code, log.getvalue())

    def start(self, job: str) -> subprocess.Popen[str]:
        """In a process of its own, as in a pod."""
        return self._start("-m", f"synth_dataset.jobs.{job}")

    def start_script(self, text: str) -> subprocess.Popen[str]:
        """A Job that is only here, in a process of its own."""
        return self._start("-c", text)

    def _start(self, *program: str) -> subprocess.Popen[str]:
        command = [sys.executable, *program, *self.arguments()]
        return subprocess.Popen(command, env={**os.environ, **self.environment}, stderr=subprocess.PIPE, text=True)

    def arguments(self) -> list[str]:
        (self.folder / "attempt.json").write_text(self.given.model_dump_json(exclude_none=True))
        return [f"--input={self.folder / 'attempt.json'}", f"--message={self.folder / 'message'}"]

    def read_end(self, code: int, log: str) -> Ended:
        text = (self.folder / "message").read_text()
        message = read_message(text)
        assert message is not None
        assert len(text.encode()) <= 4096
        return Ended(code, message, [json.loads(line) for line in log.splitlines()], log + text)


@pytest.fixture
def pod(tmp_path, bucket, minio, credentials) -> Pod:
    """A sweep of seeds 0 to 3 in a place of its own."""
    given = AttemptInput(
        namespace="lab",
        name="seeds",
        recipe_name="tiny",
        recipe={"defaults": ["BaseRecipe", "_self_"], **SMALLEST_RECIPE},
        overrides=(f"{SEED}=range(4)",),
        output=bucket,
        endpoint_is_known=True,
        parallelism=2,
        batch_size=2,
        engine_version=ENGINE_VERSION,
        plan="0" * 64,
        attempt="0" * 64,
    )
    return Pod(tmp_path, given, credentials(minio)).change_input()


@pytest.fixture
def store(minio_store) -> Store:
    return minio_store


@pytest.fixture
def render(pod, store, record_of):
    """Commits runs as a worker would, with the files that a dataset's views need."""

    def commit(*numbers: int, sweep=None) -> None:
        sweep = sweep or pod.given.build_sweep()
        table = BytesIO()
        pq.write_table(pa.table({"volume": [1.0, 2.0]}), table)
        for number in numbers:
            key = sweep.key(number)
            with store.open_scratch(key) as folder:
                (folder / "annotations.json").write_text('{"width": 4, "height": 3, "particles": []}')
                (folder / "particles.parquet").write_bytes(table.getvalue())
                recipe = build_canonical_tree(sweep.build_recipe(number))
                store.commit_run(folder, record_of(key, recipe=recipe, seed=number))

    return commit
