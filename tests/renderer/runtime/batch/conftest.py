from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from servers import S3Server, add_tenant, minio_server
from smallest_recipe import SMALLEST_RECIPE
from waiting import SECONDS, wait_until

from synth_api.jobs.attempt_input import AttemptInput
from synth_api.jobs.messages import BatchMessage, read_message
from synth_api.resources.output import Output
from synth_api.version import ENGINE_VERSION
from synth_dataset.attempts.attempt import AttemptIdentity, StoredAttempt, open_attempt, write_attempt
from synth_dataset.attempts.survey import survey_keys, write_keys
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.store.s3_policy import build_policy
from synth_dataset.store.s3_store import S3Store
from synth_renderer.runtime.batch.inputs import list_batch_runs

TRIAL_ENGINE = Path(__file__).parents[1]
BUCKET = "datasets"


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        client(server).make_bucket(BUCKET)
        server.access_key, server.secret_key = add_tenant(server.endpoint, build_policy(BUCKET, ["pods"]))
        yield server


def client(server: S3Server) -> Minio:
    return Minio(server.endpoint, server.access_key, server.secret_key, secure=False, region=server.region)


@dataclass
class Pods:
    """An attempt in a bucket, by default of the seeds 0 and 3, 2 and 1 in two batches, and processes as its pods."""

    server: S3Server
    folder: Path
    given: AttemptInput
    store: S3Store

    def order(self, seed: int, what: str) -> None:
        (self.folder / str(seed)).write_text(what)

    def orders(self, seed: int) -> bool:
        """Return True if there is an order for a seed."""
        return (self.folder / str(seed)).exists()

    def workers(self, seed: int) -> list[str]:
        """Process ids of the workers that tried this seed, in order."""
        log = self.folder / f"{seed}.log"
        return log.read_text().splitlines() if log.exists() else []

    def tries(self, seed: int) -> int:
        return len(self.workers(seed))

    @contextmanager
    def start(
        self, batch: int = 0, memory_limit: int = 1 << 40, workers: int = 1, options: Sequence[str] = (), **changed: Any
    ) -> Iterator[subprocess.Popen[str]]:
        file = self.folder / "attempt.json"
        file.write_text(self.given.model_copy(update=changed).model_dump_json())
        environment = {
            **os.environ,
            "PYTHONPATH": str(TRIAL_ENGINE),
            "TRIAL": str(self.folder),
            "TMPDIR": str(self.folder),
            "AWS_ACCESS_KEY_ID": self.server.access_key,
            "AWS_SECRET_ACCESS_KEY": self.server.secret_key,
            "JOB_COMPLETION_INDEX": str(batch),
            "SYNTH_ENGINE": "trial_engine:render",
        }
        arguments = [f"--input={file}", f"--message={self.message_file}", "--retries-per-run=1", "--gpus=2"]
        arguments += [f"--memory-limit={memory_limit}", f"--workers={workers}", f"--started={self.folder / 'started'}"]
        arguments += options
        with subprocess.Popen(
            [sys.executable, "-m", "synth_renderer.runtime.batch", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, batch: int = 0, **changed: Any) -> int:
        with self.start(batch, **changed) as process:
            self.log, _ = process.communicate(timeout=SECONDS)
        return process.returncode

    @property
    def message_file(self) -> Path:
        return self.folder / "termination-log"

    @property
    def message(self) -> BatchMessage:
        message = read_message(self.message_file.read_text())
        assert isinstance(message, BatchMessage)
        return message

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def attempt_path(self) -> str:
        return layout.attempt_path(self.given.namespace, self.given.name, self.given.plan, self.given.attempt)

    def open_attempt(self) -> StoredAttempt:
        return open_attempt(self.store, self.attempt_path)

    def document(self, batch: int = 0) -> BatchDocument:
        return BatchDocument.model_validate_json(self.store.read(layout.batch_path(self.attempt_path, batch)))

    def plan(self, attempt: str) -> None:
        """Write the attempt's plan, of which all runs are to do, and make it the attempt of the pods."""
        self.given = self.given.model_copy(update={"attempt": attempt})
        sweep, given = self.given.build_sweep(), self.given
        with self.store.open_scratch("plan") as scratch:
            survey = survey_keys(self.store, write_keys(sweep, scratch / layout.KEYS))
            identity = AttemptIdentity(given.namespace, given.name, given.plan, given.attempt)
            write_attempt(self.store, scratch, identity, sweep, survey, datetime.now(UTC), batch_size=given.batch_size)

    def forget_runs(self) -> None:
        """Remove all runs from the store."""
        for folder in (layout.MANIFESTS, layout.RUNS):
            self.store.remove_folder(folder)

    def list_runs(self, batch: int = 0) -> list[int]:
        """Return the seeds of a batch in the order in which a pod takes them."""
        return list_batch_runs(self.open_attempt(), batch)

    def wait_for_file(self, name: str) -> None:
        """Return once the engine or its orders have made a file."""
        wait_until((self.folder / name).exists, f"there is no {name}")

    def wait_for_failures(self, count: int) -> None:
        """Return once the pod's message has so many failed runs."""
        wait_until(lambda: self._count_failures() >= count, f"fewer than {count} runs have failed")

    def _count_failures(self) -> int:
        """Return the failed runs in the message; 0 while it is being written."""
        message = read_message(self.message_file.read_text()) if self.message_file.exists() else None
        return message.failed if isinstance(message, BatchMessage) else 0

    def exists(self, seed: int) -> bool:
        return self.store.has_run(self.given.build_sweep().key(seed))


@pytest.fixture
def pods(minio: S3Server, tmp_path: Path, request: pytest.FixtureRequest) -> Pods:
    return build_pods(minio, tmp_path, request.node.name, seeds=4, batch_size=2)


@pytest.fixture
def batch(minio: S3Server, tmp_path: Path, request: pytest.FixtureRequest) -> Pods:
    """An attempt of six seeds in one batch."""
    return build_pods(minio, tmp_path, request.node.name, seeds=6, batch_size=6)


def build_pods(minio: S3Server, folder: Path, name: str, *, seeds: int, batch_size: int) -> Pods:
    prefix = f"pods/{re.sub(r'[^a-z0-9_-]', '-', name)[:40]}"
    output = Output(endpoint=minio.endpoint, bucket=BUCKET, prefix=prefix, insecure=True)
    keys = {"AWS_ACCESS_KEY_ID": minio.access_key, "AWS_SECRET_ACCESS_KEY": minio.secret_key}
    store = S3Store(output, environment=keys)
    given = AttemptInput(
        namespace="lab",
        name="trial",
        recipe_name="trial",
        recipe={"defaults": ["BaseRecipe", "_self_"], **SMALLEST_RECIPE},
        overrides=(f"initial_runtime_state.seed=range({seeds})",),
        output=output,
        endpoint_is_known=True,
        parallelism=1,
        batch_size=batch_size,
        engine_version=ENGINE_VERSION,
        plan="a" * 64,
        attempt="b" * 64,
    )
    pods = Pods(minio, folder, given, store)
    pods.plan(given.attempt)
    return pods
