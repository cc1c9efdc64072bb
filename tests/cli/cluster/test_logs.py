"""`synth logs -f`: many pods at a time, until they end or nobody reads."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING, cast

import pytest

from synth_cli.cluster.cluster_errors import AbsentError, ClusterError
from synth_cli.commands.logs import follow_logs
from synth_cli.terminal.standard_streams import DescriptorOutput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_cli.cluster.connection import Cluster


class TrialCluster:
    """Pods that print what a test says; `quiet` prints nothing and never ends."""

    def __init__(self, **logs: list[str] | Exception) -> None:
        self._logs = logs

    def read_log(self, pod: str, *, tail: int, follow: bool) -> Iterator[str]:
        assert (tail, follow) == (10, True)
        name = pod.removeprefix("beads-")
        if name == "quiet":
            threading.Event().wait()
        log = self._logs[name]
        if isinstance(log, Exception):
            raise log
        yield from log


def follow(cluster: TrialCluster, *pods: str) -> None:
    follow_logs(cast("Cluster", cluster), "beads", [f"beads-{pod}" for pod in pods], 10)


def test_each_line_stands_behind_its_pod_until_all_have_ended(capsys: pytest.CaptureFixture[str]) -> None:
    follow(TrialCluster(r0=["run 1", "run 2"], r1=AbsentError("gone")), "r0", "r1")
    assert sorted(capsys.readouterr().out.splitlines()) == ["r0 run 1", "r0 run 2", "r1 (no log: gone)"]


def test_following_ends_with_an_unavailable_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClusterError, match="cannot be reached"):
        follow(TrialCluster(r0=ClusterError("it cannot be reached")), "r0", "quiet")


def test_following_ends_with_a_closed_pipe_although_a_pod_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(DescriptorOutput(writer))))
    follow(TrialCluster(r0=["run 1"]), "r0", "quiet")
    os.close(writer)
