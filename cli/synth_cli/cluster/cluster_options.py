"""Options that every command about a sweep on a cluster has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from synth_cli.parameters import NAMESPACE, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable


def cluster_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`-n`, `--context`: which cluster and namespace."""
    for option in (
        click.option("--context", type=TEXT, help="Context of the kubeconfig.  [default: the current one]"),
        click.option("--namespace", "-n", type=NAMESPACE, help="Namespace of the sweep.  [default: the context's]"),
    ):
        function = option(function)
    return function


def form_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`-o`: for people or for programs."""
    option = click.option(
        "--output", "-o", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
    )
    decorated: Callable[..., Any] = option(function)
    return decorated
