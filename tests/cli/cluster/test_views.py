"""What is shown of a sweep, what a word means, and which files of a store a page needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import Configuration
from rich.console import Console

from synth_api.errors import InputError
from synth_api.resources.output import Output
from synth_api.resources.synth_dataset import DatasetSpec, DatasetStatus
from synth_api.resources.synth_sweep import Forecast, Phase, RunCounts, SweepSpec, SweepStatus
from synth_cli.cluster.api_requests import ApiRequests
from synth_cli.cluster.cluster_dataset import ClusterDataset
from synth_cli.cluster.cluster_errors import AbsentError, ClusterError, to_status_error
from synth_cli.cluster.cluster_sweep import ClusterSweep
from synth_cli.cluster.connection import Cluster
from synth_cli.cluster.dataset_status import format_dataset
from synth_cli.cluster.fetch_gallery import copy_files
from synth_cli.cluster.store_access import open_sweep_store
from synth_cli.cluster.sweep_names import is_sweep_name
from synth_cli.cluster.sweep_status import format_status, format_status_line
from synth_cli.commands.failures import print_failures
from synth_cli.commands.logs import MAX_PODS, select_pods
from synth_cli.terminal.consoles import open_stdout
from synth_dataset.documents.document import DocumentError
from synth_dataset.store.folder_store import FolderStore

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def sweep(status: SweepStatus, generation: int = 1) -> ClusterSweep:
    spec = SweepSpec.model_validate({"recipe": {}})
    return ClusterSweep("lab", "beads", generation, NOW - timedelta(hours=1), spec, status)


def format_view(status: SweepStatus, generation: int = 1) -> str:
    out = StringIO()
    Console(file=out, width=120).print(format_status(sweep(status, generation), NOW, bar=True))
    return out.getvalue()


def test_a_sweep_without_an_operator_has_a_message() -> None:
    assert "No operator has observed this sweep yet." in format_view(SweepStatus())


def test_a_sweep_with_an_unobserved_edit_is_not_finished() -> None:
    finished = SweepStatus(observed_generation=1, phase=Phase.COMPLETE)
    assert sweep(finished).is_finished
    assert not sweep(finished, generation=2).is_finished
    assert "The operator has not observed the latest edit yet." in format_view(finished, generation=2)


def test_only_a_future_end_is_shown() -> None:
    runs = RunCounts(total=10, succeeded=4, active=1)
    ahead = SweepStatus(observed_generation=1, phase=Phase.RENDERING, runs=runs, eta=NOW + timedelta(minutes=5))
    assert "in 5 min 00 s" in format_view(ahead)
    assert "40 %" in format_view(ahead)
    assert "ends" not in format_view(ahead.model_copy(update={"eta": NOW - timedelta(minutes=5)}))


@pytest.mark.parametrize(
    ("forecast", "row"),
    [
        (Forecast(gpu_hours=1230, cpu_hours=2.5, cost=3075), "about 1,230 GPU hours, 2.5 CPU hours, cost 3,075 in all"),
        (Forecast(gpu_hours=0.5, cpu_hours=2.5), "about 0.5 GPU hours, 2.5 CPU hours in all"),
        (Forecast(gpu_hours=0, cpu_hours=2.5, cost=0), "about 2.5 CPU hours in all"),
    ],
)
def test_a_forecast_is_a_row(forecast: Forecast, row: str) -> None:
    assert f"forecast   {row}" in format_view(SweepStatus(observed_generation=1, forecast=forecast))
    assert "forecast" not in format_view(SweepStatus(observed_generation=1))


def test_the_gpus_of_a_sweep_are_a_row() -> None:
    status = SweepStatus(observed_generation=1, devices=("NVIDIA H200 (sm_90), CUDA", "NVIDIA L4 (sm_89), OptiX"))

    assert "gpus     NVIDIA H200 (sm_90), CUDA; NVIDIA L4 (sm_89), OptiX" in format_view(status)
    assert "gpus" not in format_view(SweepStatus(observed_generation=1))


def dataset(status: DatasetStatus, generation: int = 1) -> ClusterDataset:
    sources = [{"sweepRef": {"name": "beads"}}, {"sweepRef": {"name": "broad"}}]
    spec = DatasetSpec.model_validate({"version": "2", "sources": sources, "exports": [{"format": "coco"}]})
    return ClusterDataset("lab", "spheres", generation, NOW - timedelta(hours=1), spec, status)


def format_dataset_view(status: DatasetStatus, generation: int = 1) -> str:
    out = StringIO()
    Console(file=out, width=120).print(format_dataset(dataset(status, generation), NOW))
    return out.getvalue()


READY = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-02T03:04:05Z"}


def test_a_dataset_that_waits_names_its_sources_the_time_and_the_remedy() -> None:
    ready = {**READY, "reason": "WorkerFailed", "message": "The pod ended with exit code 70."}
    status = DatasetStatus.model_validate(
        {"observedGeneration": 1, "phase": "Waiting", "conditions": [ready], "waitingSince": "2026-01-02T11:00:00Z"}
    )
    lines = format_dataset_view(status).splitlines()
    assert lines[:3] == ["dataset/spheres  Waiting", "The pod ended with exit code 70.", ""]
    assert [line.strip().split(maxsplit=1) for line in lines[3:]] == [
        ["sources", "beads, broad"],
        ["builds", "version 2"],
        ["waits", f"since {(NOW - timedelta(hours=1)).astimezone():%H:%M}, for 1 h 00 min"],
        ["remedy", "Run synth logs dataset/spheres: a pod ended unexpectedly."],
    ]


def test_a_published_dataset_has_its_counts_and_the_addresses_of_its_exports() -> None:
    status = DatasetStatus.model_validate(
        {
            "observedGeneration": 1,
            "phase": "Published",
            "version": "2",
            "runs": 1200,
            "splitRuns": "train 1000, val 200",
            "root": "ab" * 32,
            "exports": [{"format": "coco", "address": "s3://bucket/datasets/lab/spheres/2/coco-12345678"}],
            "dataset": "s3://bucket/datasets/lab/spheres/2/dataset.json",
        }
    )
    shown = format_dataset_view(status)
    assert "runs      1,200: train 1000, val 200" in shown
    assert "coco      s3://bucket/datasets/lab/spheres/2/coco-12345678" in shown
    assert "builds" not in shown
    assert (dataset(status).is_finished, dataset(status).has_succeeded) == (True, True)
    assert not dataset(status, generation=2).is_finished
    assert "The operator has not observed the latest edit yet." in format_dataset_view(status, generation=2)


def test_a_dataset_without_an_operator_has_a_message() -> None:
    assert "No operator has observed this dataset yet." in format_dataset_view(DatasetStatus())


def test_texts_of_pods_are_printed_without_control_characters() -> None:
    hostile = "\x1b[31mred\x07\u202e"
    failure = {"run": 3, "overrides": {hostile: [hostile]}, "reason": hostile, "message": hostile}
    ready = {"type": "Ready", "status": "False", "reason": "WorkerFailed", "lastTransitionTime": "2026-01-02T03:04:05Z"}
    status = SweepStatus.model_validate(
        {
            "observedGeneration": 1,
            "phase": "Waiting",
            "conditions": [{**ready, "message": hostile}],
            "runs": {"total": 10, "failed": 1},
            "failures": [failure],
            "failureReasons": [{"reason": hostile, "runs": 1}],
            "dataset": f"s3://{hostile}",
        }
    )
    out = StringIO()
    console = open_stdout()
    console.file = out
    print_failures(sweep(status), console)
    console.print(format_status(sweep(status), NOW, bar=True))
    console.print(format_status_line(sweep(status)))

    assert out.getvalue().count("[31mred") == 9
    assert not {sign for sign in out.getvalue() if not sign.isprintable()} - {"\n"}


def test_a_status_of_another_version_is_reported() -> None:
    metadata = {"namespace": "lab", "name": "beads", "generation": 1, "creationTimestamp": "2026-01-02T03:04:05Z"}
    document = {"metadata": metadata, "spec": {"recipe": {}}, "status": {"newField": 1}}
    with pytest.raises(InputError, match=r"beads: cannot be read \(newField\); this synth and the cluster's CRDs are"):
        ClusterSweep.from_json(document)


def test_an_output_that_an_earlier_release_took_hides_no_sweep() -> None:
    metadata = {"namespace": "lab", "name": "beads", "generation": 1, "creationTimestamp": "2026-01-02T03:04:05Z"}
    output = {"endpoint": "h:99999", "bucket": "a..b"}
    read = ClusterSweep.from_json(
        {"metadata": metadata, "spec": {"recipe": {}, "output": output}, "status": {"phase": "Waiting"}}
    )
    assert (read.spec.output, read.status.phase) == (None, Phase.WAITING)


@pytest.mark.parametrize("word", ["h:99999", "http://minio:9000", "user:secret@minio:9000"])
def test_the_endpoint_of_this_machine_is_checked_at_once(word: str) -> None:
    output = Output(endpoint="minio.store.svc:9000", bucket="data")
    spec = SweepSpec(recipe={}, output=output)
    beads = ClusterSweep("lab", "beads", 1, NOW, spec, SweepStatus())
    with pytest.raises(InputError, match=r"^--endpoint: must be the host of a store without a scheme") as caught:
        open_sweep_store(Cluster("lab", ApiRequests(Configuration())), beads, word).__enter__()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "is_name"),
    [("beads-180", True), ("there", False), ("recipes/a", False), ("a.yaml", False), ("./a", False), ("Beads", False)],
)
def test_a_word_is_a_sweep_unless_it_is_here_or_looks_like_a_path(
    word: str, is_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert is_sweep_name(word, None, None) is is_name
    assert is_sweep_name(word, "lab", None)


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (401, InputError, "https://c: the cluster does not accept your credentials; log in again"),
        (403, InputError, "you are not allowed to do this: pods is forbidden; ask for the role"),
        (404, AbsentError, "pods is forbidden"),
        (422, InputError, "the cluster refuses this: pods is forbidden"),
        (503, ClusterError, "the cluster at https://c is busy: pods is forbidden; try again"),
    ],
)
def test_every_status_of_the_api_server_has_its_error(status: int, kind: type[Exception], says: str) -> None:
    error = to_status_error("https://c", status, b'{"message": "pods is\\n forbidden."}')
    assert type(error) is kind
    assert says in str(error)


def test_a_response_that_is_not_json_makes_a_sentence() -> None:
    assert "busy: status 502; try again" in str(to_status_error("https://c", 502, b"<html>"))


def test_logs_are_those_of_the_newest_started_pods() -> None:
    def pod(number: int, kind: str, phase: str = "Running") -> dict[str, Any]:
        metadata = {"name": f"p{number}", "labels": {"synth-operator.io/job": kind}}
        return {"metadata": metadata, "status": {"phase": phase}}

    pods = [pod(0, "plan"), *(pod(number, "render") for number in range(1, 40)), pod(40, "render", "Pending")]
    assert [one["metadata"]["name"] for one in select_pods(pods, None)] == [
        f"p{number}" for number in range(40 - MAX_PODS, 40)
    ]
    assert [one["metadata"]["name"] for one in select_pods(pods, "plan")] == ["p0"]


def test_a_file_outside_the_store_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"'\.\./etc/thumb\.webp' is no path in a dataset"):
        copy_files(FolderStore(tmp_path), ["../etc/thumb.webp"], tmp_path)
