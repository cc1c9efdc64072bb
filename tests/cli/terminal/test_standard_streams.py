"""Standard output and standard error that are gone, full or closed: the work does not depend on them."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from synth_cli.terminal.standard_streams import DescriptorOutput, escape_invisible

if TYPE_CHECKING:
    from conftest import Command

MAIN: Final = (sys.executable, "-c", "from synth_cli.main import main; main()")
FULL: Final = "the output could not be written to stdout: No space left on device; the work itself is complete"


def call(synth: Command, redirection: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of a call whose descriptors a shell redirects first, as in `>/dev/full`."""
    ended = subprocess.run(
        ["bash", "-c", f'exec "$@" {redirection}', "bash", *MAIN, *arguments],
        capture_output=True,
        text=True,
        cwd=synth.folder,
        env=synth.environment,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def call_unread(synth: Command, *unread: str, arguments: tuple[str, ...]) -> int:
    """Exit code of a call whose `unread` streams, of `stdout` and `stderr`, are pipes that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    out, error = (writer if name in unread else subprocess.DEVNULL for name in ("stdout", "stderr"))
    ended = subprocess.run(
        [*MAIN, *arguments], stdout=out, stderr=error, cwd=synth.folder, env=synth.environment, check=False
    )
    os.close(writer)
    return ended.returncode


@pytest.mark.parametrize("unread", [["stdout"], ["stderr"], ["stdout", "stderr"]])
def test_a_dataset_that_nobody_hears_of_is_committed_all_the_same(synth: Command, unread: list[str]) -> None:
    assert call_unread(synth, *unread, arguments=synth.render_arguments(2)) == 0
    assert synth.dataset()["succeeded"] == 2


@pytest.mark.parametrize("kind", ["terminal", "pipe"])
def test_a_closed_pipe_does_not_stop_rendering(synth: Command, kind: str) -> None:
    reader, writer = pty.openpty() if kind == "terminal" else os.pipe()
    process = subprocess.Popen(
        [*MAIN, *synth.render_arguments(4)],
        stdout=subprocess.DEVNULL,
        stderr=writer,
        cwd=synth.folder,
        env={**synth.environment, "TERM": "xterm"},
    )
    os.close(writer)
    assert os.read(reader, 1)
    os.close(reader)
    assert process.wait() == 0
    assert synth.dataset()["succeeded"] == 4


def test_failed_runs_keep_their_exit_code_whether_or_not_somebody_reads(synth: Command) -> None:
    synth.order(1, "raise")
    assert call_unread(synth, "stdout", "stderr", arguments=synth.render_arguments(2)) == 1
    assert (synth.dataset()["succeeded"], synth.dataset()["failed"]) == (1, 1)
    assert call(synth, ">/dev/full", *synth.render_arguments(2))[0] == 1


@pytest.mark.parametrize("redirection", [">/dev/full", "2>/dev/full", ">&-", "2>&-", ">/dev/full 2>&1", ">&- 2>&-"])
def test_a_dataset_is_committed_though_its_summary_cannot_be_written(synth: Command, redirection: str) -> None:
    assert call(synth, redirection, *synth.render_arguments(2))[0] == 74
    assert synth.dataset()["succeeded"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["validate", "tiny.yaml"],
        ["plan", "tiny.yaml"],
        ["plan", "tiny.yaml", "-o", "json"],
        ["manifest", "tiny.yaml"],
        ["gc", "."],
    ],
)
def test_results_that_cannot_be_written_are_one_sentence_and_74(synth: Command, arguments: list[str]) -> None:
    assert call(synth, ">/dev/full", *arguments) == (74, "", f"error: {FULL}\n")
    assert call_unread(synth, "stdout", arguments=tuple(arguments)) == 0


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_an_error_that_nobody_can_be_shown_keeps_its_exit_code(synth: Command, redirection: str) -> None:
    assert call(synth, redirection, "validate", "nope.yaml") == (2, "", "")


def test_closed_descriptors_never_become_files_of_the_store(synth: Command) -> None:
    assert call(synth, "<&- >&- 2>&-", *synth.render_arguments(1, "--workers=1"))[0] == 74
    documents = [path for path in (synth.store / "sweeps").rglob("*.json") if path.name != "coco.json"]
    assert documents
    assert all(b"rendered in" not in path.read_bytes() for path in documents)


def test_a_terminal_that_hangs_up_is_a_reader_that_has_gone() -> None:
    controller, terminal = pty.openpty()
    output = DescriptorOutput(terminal)
    os.close(controller)
    assert output.write(b"rendered") == 8
    assert output.is_reader_gone
    os.close(terminal)


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    text = b"x" * (1 << 20)
    copy = subprocess.Popen(["wc", "-c"], stdin=reader, stdout=subprocess.PIPE)
    output = DescriptorOutput(writer)
    sent = 0
    while sent < len(text):
        sent += output.write(text[sent:])
    os.close(writer)
    os.close(reader)
    assert copy.communicate()[0].strip() == b"1048576"
    assert output.failure is None


def on_terminal(synth: Command, *arguments: str, **environment: str) -> str:
    """What a call prints on a terminal."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*MAIN, *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=synth.folder,
        env={**synth.environment, "TERM": "xterm", **environment},
    )
    os.close(terminal)
    said = b""
    while part := _read(controller):
        said += part
    process.wait()
    os.close(controller)
    return said.decode()


def _read(controller: int) -> bytes:
    """The next bytes; none when nobody has the terminal open, which Linux reports as an error."""
    try:
        return os.read(controller, 4096)
    except OSError:
        return b""


def test_errors_are_coloured_on_a_terminal(synth: Command) -> None:
    assert on_terminal(synth, "validate", "nope.yaml").startswith("\x1b[1;31merror:\x1b[0m nope.yaml: ")


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("recipe", ["nope.yaml", "tiny.yaml"])
def test_the_environment_disables_colours(synth: Command, recipe: str, variable: dict[str, str]) -> None:
    assert "\x1b" not in on_terminal(synth, "validate", recipe, **variable)


def test_a_dumb_terminal_gets_lines_instead_of_a_bar(synth: Command) -> None:
    said = on_terminal(synth, *synth.render_arguments(1), TERM="dumb")
    assert "rendering 1 of 1 run" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_characters_that_the_encoding_lacks_are_spelt_in_others(
    synth: Command, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synth.recipe.write_text(synth.recipe.read_text().replace("SEM:", "粒子:"))
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    code, out, error = call(synth, "", "validate", "tiny.yaml")
    assert (code, error) == (0, "")
    assert "technique   \\u7c92\\u5b50: secondary_electron_microscope" in out
    code, out, error = call(synth, "", "plan", "tiny.yaml", "initial_runtime_state.seed=range(200)")
    assert (code, error) == (0, "")
    assert "0, 1, 2, ..., 199" in out


def test_control_characters_of_a_recipe_are_shown_and_not_obeyed(synth: Command) -> None:
    synth.recipe.write_text(synth.recipe.read_text().replace("SEM:", r'"S\e[31mM":'))
    assert r"S\x1b[31mM" in on_terminal(synth, "validate", "tiny.yaml", NO_COLOR="1")
    code, _, error = call(synth, "", "plan", "tiny.yaml", "initial_runtime_state.seed='\x1b[2J'")
    assert code == 2
    assert r"\x1b[2J" in error


def test_characters_without_a_glyph_are_escaped() -> None:
    assert escape_invisible("Bead 1 µm 粒子…") == "Bead 1 µm 粒子…"
    assert escape_invisible("a\x1b[0m\n\u202eb\ud800\udcff", keep="\n") == "a\\x1b[0m\n\\u202eb\\ud800\\xff"
