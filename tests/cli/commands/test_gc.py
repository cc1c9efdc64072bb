"""`synth gc` as a user meets it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from minio import Minio
from servers import ACCESS_KEY, SECRET_KEY, minio_server

from synth_api.errors import InputError
from synth_cli.commands.gc import parse_age
from synth_cli.local.bucket_address import open_bucket

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Command


def runs_of(synth: Command) -> int:
    return len(list(synth.store.glob("manifests/*/*.json")))


def test_garbage_is_listed_by_sweep_and_deleted_on_confirmation(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    assert synth.render(1, "--replace")[0] == 0
    assert synth.run("gc", "dataset") == (0, "nothing to delete\n", "")
    code, out, error = synth.run("gc", "dataset", "--older-than=0s")
    assert (code, error) == (0, "nothing was deleted; --yes deletes without confirmation\n")
    assert re.search(r"^local/tiny +1 +1 +1 +\d", out, re.MULTILINE)
    code, out, _ = synth.run("gc", "dataset", "--older-than=0s", "--dry-run")
    assert code == 0
    (path,) = (line for line in out.splitlines() if line.startswith("manifests/"))
    assert runs_of(synth) == 2
    code, out, _ = synth.run("gc", "dataset", "--older-than=0s", "--yes")
    assert code == 0
    assert re.search(r"^freed \d", out, re.MULTILINE)
    assert not (synth.store / path).exists()
    assert runs_of(synth) == len(list(synth.store.glob("runs/*/*/*"))) == 1
    assert synth.render(1)[1].startswith("nothing to render: 1 run cached")


@pytest.mark.parametrize(("answer", "is_there"), [("n", True), ("y", False)])
def test_on_a_terminal_a_question_is_asked(synth: Command, answer: str, is_there: bool) -> None:
    garbage = synth.store / "scratch" / "left-behind"
    garbage.mkdir(parents=True)
    terminal, end = pty.openpty()
    command = [sys.executable, "-c", "from synth_cli.main import main; main()", "gc", "dataset", "--older-than=0s"]
    process = subprocess.Popen(command, cwd=synth.folder, stdin=end, stdout=end, stderr=end)
    os.close(end)
    said = b""
    while b"delete it? [y/N]" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, f"{answer}\n".encode())
    with suppress(OSError):  # EIO: the command has ended
        while os.read(terminal, 1024):
            pass
    assert process.wait() == 0
    assert garbage.exists() == is_there
    os.close(terminal)


def test_garbage_of_a_bucket_is_deleted_at_its_address(
    synth: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with minio_server(tmp_path) as server:
        Minio(server.endpoint, ACCESS_KEY, SECRET_KEY, secure=False).make_bucket("lab")
        store = open_bucket("s3://lab/team", f"http://{server.endpoint}", "DATASET")
        store.write(f"recipes/{'a' * 64}.json", b"{}")
        call = ("gc", "s3://lab/team", f"--endpoint=http://{server.endpoint}", "--older-than=0s")
        code, out, _ = synth.run(*call, "--dry-run")
        assert (code, out.splitlines()[-1]) == (0, f"recipes/{'a' * 64}.json")
        assert store.exists(f"recipes/{'a' * 64}.json")
        assert synth.run(*call, "--yes")[0] == 0
        assert synth.run(*call) == (0, "nothing to delete\n", "")


def test_an_unreadable_document_prevents_deletion(synth: Command) -> None:
    assert synth.render(1)[0] == 0
    plan = next(synth.store.glob("sweeps/local/tiny/*/*/plan.json"))
    plan.write_text("{")
    before = sorted(synth.store.rglob("*"))
    code, out, error = synth.run("gc", "dataset", "--older-than=0s", "--yes")
    assert (code, out, error.count("\n")) == (75, "", 1)
    assert str(plan.relative_to(synth.folder)) in error
    assert sorted(synth.store.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothere"], "nothere: is not a folder; give the dataset folder that synth render wrote"),
        (["tiny.yaml"], "tiny.yaml: is not a folder; give the dataset folder that synth render wrote"),
        ([".", "--yes", "--dry-run"], "--yes and --dry-run exclude each other"),
        ([".", "--older-than=soon"], "--older-than: 'soon' is not an age; write for example 90m, 12h or 1d"),
    ],
)
def test_a_wrong_call_is_one_sentence(synth: Command, arguments: list[str], sentence: str) -> None:
    assert synth.run("gc", *arguments) == (2, "", f"error: {sentence}\n")


@pytest.mark.parametrize("age", ["99999999999d", "2000000d", "9" * 5000 + "s"])
def test_an_age_beyond_the_calendar_is_refused(age: str) -> None:
    with pytest.raises(InputError, match="reaches back before year 1; write for example 365d"):
        parse_age(age)
