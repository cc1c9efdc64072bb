"""Progress and end of a commit on this machine, without a store."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from synth_cli.local import dataset_writing
from synth_cli.local.dataset_writing import CommitMeter


def test_a_meter_names_what_is_written_and_how_many_runs_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_writing, "QUIET_SECONDS", 0.0)
    output = StringIO()
    with CommitMeter(Console(file=output, width=200), SimpleNamespace(count=0)) as meter:
        for done in range(1, 12_001):
            meter("the dataset", done, 12_000)
        for done in (1, 2):
            meter("coco.json", done, 2)
    assert [line.rpartition(", ")[0] for line in output.getvalue().splitlines()] == [
        "writing the dataset: 1 of 12,000 runs",
        "writing the dataset: 12,000 of 12,000 runs",
        "writing coco.json: 1 of 2 runs",
        "writing coco.json: 2 of 2 runs",
    ]


def test_a_short_commit_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_writing, "QUIET_SECONDS", 3600.0)
    output = StringIO()
    with CommitMeter(Console(file=output, width=200), SimpleNamespace(count=0)) as meter:
        meter("the dataset", 1, 2)
        meter("the dataset", 2, 2)
    assert output.getvalue() == ""


def test_a_signal_before_the_commit_does_not_end_it_and_one_in_it_does() -> None:
    stop = SimpleNamespace(count=1)
    with CommitMeter(Console(file=StringIO()), stop) as meter:
        meter("the dataset", 1, 3)
        stop.count = 2
        with pytest.raises(Exception, match="signal 2"):
            meter("the dataset", 2, 3)
