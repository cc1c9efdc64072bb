from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from servers import S3Server, add_tenant, minio_server
from smallest_recipe import SMALLEST_RECIPE

from synth_api.jobs.attempt_input import AttemptInput
from synth_api.jobs.messages import BatchMessage, read_message
from synth_api.resources.output import Output
from synth_api.version import ENGINE_VERSION
from synth_dataset.attempts.attempt import AttemptIdentity, write_attempt
from synth_dataset.attempts.survey import survey_keys, write_keys
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.store.s3_policy import build_policy
from synth_dataset.store.s3_store import S3Store

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
    """An attempt of four seeds in two batches, 0 and 3, 2 and 1, of a bucket, and processes as its pods."""

    server: S3Server
    folder: Path
    given: AttemptInput
    store: S3Store

    def order(self, seed: int, what: str) -> None:
        (self.folder / str(seed)).write_text(what)

    def tries(self, seed: int) -> int:
        log = self.folder / f"{seed}.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def start(self, batch: int = 0, memory_limit: int = 1 << 40, **changed: Any) -> subprocess.Popen[str]:
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
        arguments.append(f"--memory-limit={memory_limit}")
        return subprocess.Popen(
            [sys.executable, "-m", "synth_renderer.runtime.batch", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, batch: int = 0, **changed: Any) -> int:
        with self.start(batch, **changed) as process:
            self.log, _ = process.communicate(timeout=60)
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

    def document(self, batch: int = 0) -> BatchDocument:
        path = layout.attempt_path(self.given.namespace, self.given.name, self.given.plan, self.given.attempt)
        return BatchDocument.model_validate_json(self.store.read(layout.batch_path(path, batch)))

    def exists(self, seed: int) -> bool:
        return self.store.has_run(self.given.build_sweep().key(seed))


@pytest.fixture
def pods(minio: S3Server, tmp_path: Path, request: pytest.FixtureRequest) -> Pods:
    output = Output(endpoint=minio.endpoint, bucket=BUCKET, prefix=f"pods/{request.node.name[:40]}", insecure=True)
    keys = {"AWS_ACCESS_KEY_ID": minio.access_key, "AWS_SECRET_ACCESS_KEY": minio.secret_key}
    store = S3Store(output, environment=keys)
    given = AttemptInput(
        namespace="lab",
        name="trial",
        recipe_name="trial",
        recipe={"defaults": ["BaseRecipe", "_self_"], **SMALLEST_RECIPE},
        overrides=("initial_runtime_state.seed=range(4)",),
        output=output,
        endpoint_is_known=True,
        parallelism=1,
        batch_size=2,
        engine_version=ENGINE_VERSION,
        plan="a" * 64,
        attempt="b" * 64,
    )
    sweep = given.build_sweep()
    with store.open_scratch("plan") as scratch:
        survey = survey_keys(store, write_keys(sweep, scratch / layout.KEYS))
        identity = AttemptIdentity(given.namespace, given.name, given.plan, given.attempt)
        write_attempt(store, scratch, identity, sweep, survey, datetime.now(UTC), batch_size=2)
    return Pods(minio, tmp_path, given, store)
