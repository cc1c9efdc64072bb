"""`synth`: the command line. Commands import what they need when they are called, so that `--help` is quick."""

from __future__ import annotations

import importlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from typing_extensions import override

from synth_api.errors import InputError, nearest
from synth_api.exit_codes import ExitCode
from synth_api.sentences import describe_traceback, explain
from synth_api.temporary import TemporaryFolderError
from synth_cli.terminal.output import WarningPrinter, exit_code_after_output, print_error, protect_standard_streams

COMMANDS: Final = {
    "validate": "Say what a recipe is, or what is wrong with it.",
    "manifest": "Write a recipe and a sweep as Kubernetes resources.",
    "plan": "Say what a sweep amounts to, and how much of it is done.",
    "render": "Render the runs of a sweep that do not exist yet.",
    "gallery": "Write a dataset's gallery page anew, or fetch that of a sweep.",
    "gc": "Remove what no dataset refers to any more.",
    "status": "Say how a sweep on a cluster goes.",
    "failures": "List the failed runs of a sweep on a cluster.",
    "retry": "Try the failed runs of a sweep on a cluster again.",
    "logs": "Show what the pods of a sweep on a cluster print.",
}


class LazyCommands(click.Group):
    """Commands by name, each in a module of its own under `synth_cli.commands`."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are used."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            raise InputError("synth", f"there is no command '{cmd_name}'; {nearest(cmd_name, COMMANDS)}")
        command: click.Command = importlib.import_module(f"synth_cli.commands.{cmd_name}").command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="synth-operator", prog_name="synth")
def synth() -> None:
    """Labelled microscopy images from recipes."""


def main() -> None:
    """Entry point of `synth` and `kubectl synth`: turns every error into one sentence and an exit code."""
    program = "kubectl synth" if Path(sys.argv[0]).name == "kubectl-synth" else "synth"
    protect_standard_streams()
    logging.getLogger().addHandler(WarningPrinter())
    sys.exit(exit_code_after_output(run(sys.argv[1:], program)))


def run(arguments: list[str], program: str = "synth") -> int:
    """Carry out a command; returns its exit code (`synth_api.exit_codes`)."""
    try:
        # Not click's own `main`, which has exit codes of its own.
        with synth.make_context(program, arguments) as context:
            code = synth.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except InputError as error:
        return _fail(str(error), ExitCode.BAD_INPUT)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        return _fail(_usage(error), ExitCode.BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except TemporaryFolderError as error:
        return _fail(str(error), ExitCode.BAD_INPUT)
    except Exception as error:
        if type(error).__module__.startswith(("synth_dataset.", "synth_cli.cluster.")):
            return _fail(str(error), ExitCode.TRY_AGAIN)
        return _fail(f"{explain(error)} (traceback: {_save_traceback(error)})", ExitCode.BUG)
    return code if isinstance(code, int) else ExitCode.OK


def _fail(sentence: str, code: ExitCode) -> ExitCode:
    print_error(sentence)
    return code


_MULTIRUN: Final = (
    "{option}: a sweep needs no such option: an override with commas or a range is an axis, "
    "path=1,2,3 or path=range(15), and synth render renders every run of their product"
)


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.option_name in ("--multirun", "-m"):
        return _MULTIRUN.format(option=error.option_name)
    message = error.format_message().rstrip(".")
    return message[:1].lower() + message[1:]


def _save_traceback(error: BaseException) -> str:
    """The file that holds the error's traceback, or why there is none."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="synth-", suffix=".log")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(describe_traceback(error))
    except OSError as problem:
        return f"not saved, {problem.strerror}"
    return name
