"""What the command says when it is called wrongly, and how it ends when something else goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from synth_cli import main


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rendr"], "synth: there is no command 'rendr'; did you mean 'render'?"),
        (["plan"], "missing argument 'RECIPE|SWEEP'"),
        (["render", "x.yaml", "--quick"], "no such option '--quick'"),
        (["render", "x.yaml", "--workers=0"], "invalid value for '--workers': 0 is not in the range 1<=x<=256"),
    ],
)
def test_a_wrong_call_gets_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    assert capsys.readouterr() == ("", f"error: {sentence}\n")


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_a_bug_is_one_sentence_with_the_path_of_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("no such luck at https://user:word@host")

    monkeypatch.setattr(main.LazyCommands, "get_command", lambda *_: click.Command("plan", callback=fail))
    assert main.run(["plan"]) == 70
    error = capsys.readouterr().err
    assert error.startswith("error: RuntimeError: no such luck at https://***@host (traceback: ")
    saved = Path(error.rpartition("traceback: ")[2].rstrip(")\n"))
    assert "Traceback" in saved.read_text()
    assert "no such luck at https://***@host" in saved.read_text()
    saved.unlink()


def test_help_imports_no_heavy_package() -> None:
    program = (
        "import sys; from synth_cli.main import run; run(['--help']); "
        "found = sorted({'numba', 'bpy', 'cv2', 'pyarrow', 'numpy'} & set(sys.modules)); "
        "sys.exit(str(found) if found else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_plan_imports_no_heavy_package(tmp_path: Path) -> None:
    program = (
        "import sys; from synth_cli.main import run; "
        f"code = run(['plan', 'recipes/spheres_sem.yaml', '--out={tmp_path}']); "
        "found = sorted({'numba', 'bpy', 'cv2', 'pyarrow', 'numpy'} & set(sys.modules)); "
        "sys.exit(str(found) if found else code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "unknown: the store has no run with these pictures; render one with --only 0 and plan again" in ended.stdout
