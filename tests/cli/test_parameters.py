"""What options and arguments take: paths of this machine and text that says something; all else is one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from synth_cli import main
from synth_cli.parameters import TextParameter

RECIPE = Path(__file__).parents[2] / "recipes" / "spheres_sem.yaml"


def parameters() -> list[tuple[str, click.Parameter]]:
    """Every parameter of every command that takes text, with the command's name."""
    context = click.Context(main.synth)
    commands = {name: main.synth.get_command(context, name) for name in main.COMMANDS}
    takes_none = (click.types.BoolParamType, click.types.IntParamType, click.types.FloatParamType, click.Choice)
    return [
        (name, parameter)
        for name, command in commands.items()
        if command
        for parameter in command.params
        if not isinstance(parameter.type, takes_none)
    ]


def call(command: str, parameter: click.Parameter, value: str) -> list[str]:
    """A call of a command that gives a parameter this value."""
    if isinstance(parameter, click.Option):
        return [command, f"{parameter.opts[0]}={value}" if parameter.opts[0].startswith("--") else f"-n{value}", "word"]
    return [command, "word", value] if parameter.nargs == -1 else [command, value]


@pytest.mark.parametrize(("command", "parameter"), parameters(), ids=lambda value: getattr(value, "name", value))
def test_an_empty_text_is_refused_by_every_command(
    command: str, parameter: click.Parameter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(parameter.type, TextParameter)
    for empty in ("", "  "):
        assert main.run(call(command, parameter, empty)) == 2
        assert "the text is empty, perhaps from an unset variable; give a value" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", os.fsdecode(b"a\xff.yaml")],
        ["render", "r.yaml", "--out", os.fsdecode(b"a\xff.yaml")],
        ["plan", "r.yaml", os.fsdecode(b"a\xff.yaml")],
        ["gallery", "ds", "--name", os.fsdecode(b"a\xff.yaml")],
    ],
)
def test_text_that_is_not_utf8_is_refused_with_its_bytes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    assert r"'a\xff.yaml' is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["plan", "validate", "manifest"])
def test_a_tilde_is_the_home_folder(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "r.yaml").write_text(RECIPE.read_text())
    assert main.run([word, "~/r.yaml"]) == 0


def test_the_output_folder_may_be_below_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main.run(["manifest", str(RECIPE), "--out=~/resources"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["resources"]


def test_of_names_that_begin_with_a_tilde_a_file_is_meant_and_an_unknown_user_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~draft.yaml").write_text(RECIPE.read_text())
    assert main.run(["validate", "~draft.yaml"]) == 0
    assert main.run(["plan", "~draft.yaml", "--out=~nobody-here/ds"]) == 2
    sentence = "--out: '~nobody-here' is not the home folder of a user; write ./~nobody-here/ds if a name begins with ~"
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["render", str(RECIPE), "--out=s3://bucket/ds"], "--out"),
        (["plan", str(RECIPE), "--out=S3A://bucket/ds"], "--out"),
        (["manifest", str(RECIPE), "--out=gs://bucket"], "--out"),
        (["gallery", "s3://bucket/ds"], "DATASET"),
        (["gc", "file:///tmp/ds"], "DATASET"),
    ],
)
def test_an_address_is_refused_with_a_hint_about_buckets(
    arguments: list[str],
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {option}: '")
    assert "is an address; give a path on this machine. A bucket has the layout of a dataset folder" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["validate"], "RECIPE"),
        (["gallery"], "DATASET"),
        (["gc"], "DATASET"),
        (["plan", str(RECIPE), "--out"], "--out"),
        (["render", str(RECIPE), "--out"], "--out"),
        (["manifest", str(RECIPE), "--out"], "--out"),
    ],
)
@pytest.mark.parametrize("path", ["n" * 256, "d/" * 2100 + "n"], ids=["name", "path"])
def test_a_path_that_no_file_can_have_is_refused(
    arguments: list[str], option: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([*arguments, path]) == 2
    assert capsys.readouterr().err == f"error: {option}: '{path[:76]}…' is too long for a path; shorten it\n"


@pytest.mark.parametrize(
    ("folder", "reason"), [("file", "File exists"), ("file/below", "Not a directory"), ("/proc/x", "No such file")]
)
def test_resources_go_into_a_folder_that_can_be_written(
    folder: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main.run(["manifest", str(RECIPE), f"--out={tmp_path / folder}"]) == 2
    assert f"error: --out: '{tmp_path / folder}' cannot be written ({reason}" in capsys.readouterr().err


@pytest.mark.parametrize("override", ["a\nb=1", "a\tb=1", "blueprints.particles.Bead.number='\r\nerror: x'"])
def test_an_error_is_always_one_line(override: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["validate", str(RECIPE), override]) == 2
    error = capsys.readouterr().err
    assert error.rstrip("\n").isprintable()


@pytest.mark.parametrize("name", ["BAD ns", "../kube-system", "-lab", "a" * 64])
@pytest.mark.parametrize("command", [["manifest", str(RECIPE)], ["status"], ["logs", "beads"]])
def test_an_invalid_namespace_is_refused(command: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*command, f"--namespace={name}"]) == 2
    assert f"--namespace: '{name}' cannot be the name of a namespace; use lower-case" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--multirun", "render"], ["render", "r.yaml", "--multirun"], ["plan", "-m", "r"]]
)
def test_hydras_multirun_is_refused_with_an_alternative(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    assert "an override with commas or a range is an axis, path=1,2,3 or path=range(15)" in capsys.readouterr().err
