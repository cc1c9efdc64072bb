"""Tables of the results of bench/gpu.py; a cell that was not measured is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROWS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    (
        "process start to first picture, driver's caches empty",
        "first picture {} empty",
        lambda v: f"{v['seconds']:.1f} s",
    ),
    ("the same, driver's caches filled", "first picture {} filled", lambda v: f"{v['seconds']:.1f} s"),
    ("`real`, 600 beads, 960x960, warm", "run {}", lambda v: f"{v['seconds']['real']:.2f} s"),
    ("whole run, six modes, warm", "run {}", lambda v: f"{v['seconds']['total']:.2f} s"),
    ("runs per hour, GPU busy, 1 worker", "workers {} 1", lambda v: format_rate(v)),
    ("2 workers", "workers {} 2", lambda v: format_rate(v)),
    ("4 workers", "workers {} 4", lambda v: format_rate(v)),
    ("8 workers", "workers {} 8", lambda v: format_rate(v)),
    ("16 workers", "workers {} 16", lambda v: format_rate(v)),
    ("same key twice: same pixels", "same {}", lambda v: "yes" if v["same_pixels"] else "NO"),
    ("labels: the CPU's digest", "same {}", lambda v: "yes" if v["same_labels"] else "NO"),
    ("`real` against the CPU's: mean, deviation, structure", "same {}", lambda v: format_comparison(v)),
)
"""Quantity, name of its step with the device left out, and format of its cell."""


def format_rate(value: Any) -> str:
    """Return runs per hour, with the GPU's busy share if its driver tells it."""
    rate = f"{value['runs_per_hour']:,.0f}"
    return rate if value["busy"] is None else f"{rate}, {value['busy']:.0%}"


def format_comparison(value: Any) -> str:
    """Return differences and what is beyond its limit."""
    numbers = f"{value['mean']:+.2%}, {value['deviation']:+.2%}, {value['correlation']:+.2f}"
    return f"{numbers}: {', '.join(value['problems'])}" if value["problems"] else numbers


def format_cell(results: Mapping[str, Any], name: str, form: Callable[[Any], str]) -> str:
    """Return the cell of a step: its value, why it failed, or nothing."""
    result = results.get(name)
    if result is None:
        return ""
    return f"failed: {result['error']}" if "error" in result else form(result["value"])


def build_device_table(results: Mapping[str, Any], devices: tuple[str, ...]) -> Table:
    """Return a table with one column for each backend and for the CPU."""
    columns = tuple(dict.fromkeys((*(devices or ("cuda", "optix")), "cpu")))
    machine = results["machine"].get("value", {})
    gpus = "; ".join(machine.get("gpus", ())) or "no NVIDIA driver or GPU answers here, its cells are empty"
    title = f"{gpus}; {machine.get('driver') or 'no driver'}; {machine.get('processors')} processors"
    table = Table("quantity", *columns, title=title, title_justify="left")
    for quantity, step, form in ROWS:
        table.add_row(quantity, *(format_cell(results, step.format(column), form) for column in columns))
    return table


def build_kernel_table(results: Mapping[str, Any]) -> Table:
    """Return a table of what ptxas took for each architecture."""
    table = Table("architecture", "compiled", "seconds", "size", "with zstd", title="ptxas", title_justify="left")
    for name, result in results.items():
        if name.startswith("kernels "):
            table.add_row(name.removeprefix("kernels "), *format_kernels(result))
    return table


def format_kernels(result: Any) -> tuple[str, ...]:
    """Return the cells of an architecture."""
    if "error" in result:
        return (f"failed: {result['error']}",)
    value = result["value"]
    what = "all Cycles kernels" if value["whole"] else "one small kernel"
    return what, f"{value['seconds']:.1f}", f"{value['bytes'] / 1e6:.2f} MB", f"{value['packed_bytes'] / 1e6:.2f} MB"


def print_tables(results: Mapping[str, Any], devices: tuple[str, ...]) -> None:
    """Print both tables."""
    console = Console(width=160)
    console.print(build_device_table(results, devices))
    console.print(build_kernel_table(results))
