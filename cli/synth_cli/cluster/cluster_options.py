"""Options of commands that read a cluster, and of those that read datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from synth_cli.parameters import NAMESPACE, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable


def cluster_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--namespace` and `--context` to a command."""
    for option in (
        click.option("--context", type=TEXT, help="Context of the kubeconfig.  [default: the current context]"),
        click.option(
            "--namespace", "-n", type=NAMESPACE, help="Namespace of the sweep.  [default: that of the context]"
        ),
    ):
        function = option(function)
    return function


def names_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--name`, which may be repeated, to a command that reads datasets."""
    option = click.option(
        "--name", "names", type=TEXT, multiple=True, help="Name of a dataset, if a folder holds several."
    )
    decorated: Callable[..., Any] = option(function)
    return decorated


def endpoint_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--endpoint` to a command that reads datasets."""
    option = click.option("--endpoint", type=TEXT, metavar="URL", help="Address of the store of s3:// or of a sweep.")
    decorated: Callable[..., Any] = option(function)
    return decorated


def output_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--output` to a command: text for people, JSON for programs."""
    option = click.option(
        "--output",
        "-o",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Output format.",
    )
    decorated: Callable[..., Any] = option(function)
    return decorated
