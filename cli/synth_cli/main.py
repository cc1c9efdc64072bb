"""`synth`: the command line. A command's module is imported when the command runs, so that `--help` is fast."""

from __future__ import annotations

import importlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from typing_extensions import override

from synth_api.errors import InputError, TryAgainError, suggest_name
from synth_api.exit_codes import ExitCode
from synth_api.sentences import describe_traceback, explain
from synth_api.temporary import TemporaryFolderError
from synth_cli.terminal.standard_streams import (
    WarningPrinter,
    exit_code_after_output,
    print_error,
    protect_standard_streams,
)

COMMANDS: Final = {
    "validate": "Check a recipe and show a summary.",
    "manifest": "Write a recipe and a sweep as Kubernetes resources.",
    "plan": "Show the runs of a sweep and how many exist.",
    "render": "Render the missing runs of a sweep.",
    "gallery": "Write the gallery page of a dataset, or download that of a sweep.",
    "export": "Write datasets in the layout that a trainer reads.",
    "dataset": "Build versions of datasets, split and exported by one definition.",
    "stats": "Show statistics of a dataset.",
    "score": "Score predictions on a dataset.",
    "verify": "Compare a dataset or an export with what its documents say of it.",
    "diff": "Show the difference of two datasets.",
    "gc": "Delete files that no dataset needs.",
    "status": "Show the status of a sweep on a cluster.",
    "failures": "List the failed runs of a sweep on a cluster.",
    "limits": "Show the limits of a namespace, their use and who waits.",
    "retry": "Retry the failed runs of a sweep on a cluster.",
    "logs": "Print the pod logs of a sweep on a cluster.",
    "kernels": "Build Cycles kernels for NVIDIA GPUs, or show which GPU has them.",
    "store-policy": "Print the bucket policy of a namespace.",
}
"""Command -> summary, in the order of use."""

EXIT_CODES: Final[dict[type[Exception], ExitCode]] = {
    InputError: ExitCode.BAD_INPUT,
    TemporaryFolderError: ExitCode.BAD_INPUT,
    TryAgainError: ExitCode.TRY_AGAIN,
}
"""Exception class -> exit code of a command that it ends; any other exception is a bug."""


class LazyCommands(click.Group):
    """Group of commands, each imported from its module in `synth_cli.commands` when it is needed."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of use, not in alphabetical order."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import the module of a command. Raises InputError for an unknown command."""
        if cmd_name not in COMMANDS:
            raise InputError("synth", f"there is no command '{cmd_name}'; {suggest_name(cmd_name, COMMANDS)}")
        command: click.Command = importlib.import_module(f"synth_cli.commands.{cmd_name.replace('-', '_')}").command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing their modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="synth-operator", prog_name="synth")
def synth() -> None:
    """Generate labelled microscopy images from recipes."""


def main() -> None:
    """Entry point of `synth` and `kubectl synth`: print an error as one sentence and exit with its code."""
    program = "kubectl synth" if Path(sys.argv[0]).name == "kubectl-synth" else "synth"
    protect_standard_streams()
    logging.getLogger().addHandler(WarningPrinter())
    sys.exit(exit_code_after_output(run(sys.argv[1:], program)))


def run(arguments: list[str], program: str = "synth") -> int:
    """Run a command and return its exit code (`synth_api.exit_codes`)."""
    try:
        # click's own `main` would end the process with other exit codes.
        with synth.make_context(program, arguments) as context:
            code = synth.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        print_error(_format_usage_error(error))
        return ExitCode.BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Exception as error:
        return _report_error(error)
    return code if isinstance(code, int) else ExitCode.OK


def _report_error(error: Exception) -> ExitCode:
    """Print an error and return its exit code; save the traceback of a bug."""
    code = next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.BUG)
    bug = f"{explain(error)} (traceback: {_save_traceback(error)})" if code is ExitCode.BUG else ""
    print_error(bug or str(error))
    return code


_MULTIRUN: Final = (
    "{option}: a sweep needs no such option: an override with commas or a range is an axis, "
    "path=1,2,3 or path=range(15), and synth render renders every run of their product"
)


def _format_usage_error(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.option_name in ("--multirun", "-m"):
        return _MULTIRUN.format(option=error.option_name)
    message = error.format_message().rstrip(".")
    return message[:1].lower() + message[1:]


def _save_traceback(error: BaseException) -> str:
    """Write the traceback to a temporary file and return its path, or the reason why it was not saved."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="synth-", suffix=".log")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(describe_traceback(error))
    except OSError as problem:
        return f"not saved, {problem.strerror}"
    return name
