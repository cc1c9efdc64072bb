"""Options of `synth verify`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import click

from synth_api.errors import InputError
from synth_dataset.verification.depth import Depth

_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(%?)")


@dataclass(frozen=True)
class VerificationOptions:
    """What `synth verify` does."""

    depth: Depth
    rerender: int
    """Number of runs to render again."""
    repair: bool
    engine: str
    """Import path `module:function`."""

    @property
    def needs_dataset(self) -> str:
        """The option that an export cannot have; empty without one."""
        return "--rerender" if self.rerender else "--repair" if self.repair else ""


def build_options(
    *, quick: bool, sample: str | None, deep: bool, rerender: int | None, repair: bool, engine: str
) -> VerificationOptions:
    """Return the options. Raises InputError, UsageError for options that exclude each other."""
    if quick and deep:
        raise click.UsageError("--quick and --deep exclude each other")
    if repair and sample is not None:
        raise click.UsageError("--repair and --sample exclude each other")
    depth = Depth(not quick, deep, parse_share(sample) if sample is not None else 1.0)
    return VerificationOptions(depth, rerender or 0, repair, engine)


def parse_share(text: str) -> float:
    """Return the share that `1%` or `0.05` means. Raises InputError."""
    match = _SHARE.fullmatch(text)
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < share <= 1:
        raise InputError("--sample", f"'{text[:40]}' is no share of the runs; write for example 1% or 0.05")
    return share
