"""Quality gates: what a run's labels, table and real image must agree in before its manifest is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from synth_api.reasons import FailureReason
from synth_dataset.gates.mask_fit import Fit, measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

FLAT: Final = 0.5
"""Least standard deviation in grey levels: that of one grey which rounding splits in two."""
SATURATED: Final = 0.75
"""Largest share of the particles' pixels at 0 or at 255; the ground may be black or white."""
FIT: Final = 0.055
"""Least gain in rank at the labels' place over other places; labels of another picture gain nothing."""
LEAD: Final = 0.75
"""Least share of the gain at the best of 48 other places: a lattice of particles fits at more places than one."""
PULL: Final = 0.15
"""Largest advantage of labels 3 px aside, as a share of the gain."""
THIN_BORDER: Final = 400
THIN_EVIDENCE: Final = 0.3
"""Labels with a shorter border (px) in a picture with fewer strong edges per border pixel cannot be judged."""


@dataclass(frozen=True)
class GateResult:
    """What a gate measured, what it asks for, and that in one sentence."""

    name: str
    passed: bool
    value: float
    threshold: float
    reason: str


class GateError(RuntimeError):
    """A run failed gates; the message names them with their values."""

    reason: ClassVar[FailureReason] = FailureReason.GATE_FAILED


def check(
    ids: NDArray[np.uint16], visible_px: NDArray[np.int64], real: NDArray[np.uint8] | None
) -> tuple[GateResult, ...]:
    """Put a run through its gates.

    ids: instances (H, W), 0 for ground. visible_px: visible pixels of particles 1..N as the table has them (N,).
    real: real image (H, W) or (H, W, 3), None when none was rendered: then only the table is compared.
    A picture without a visible particle meets only the gate of ids.
    """
    counted = np.bincount(ids.ravel(), minlength=len(visible_px) + 1)[1:]
    table = np.zeros(len(counted), np.int64)
    table[: len(visible_px)] = visible_px
    results = [_ids(counted, table)]
    if not counted.any() and not table.any():
        return tuple(results)
    results.append(_area(counted, table))
    if real is not None:
        results += [_exposure(real), _saturation(ids, real), *_masks(ids, real)]
    return tuple(results)


def require(results: Iterable[GateResult]) -> None:
    """Raise GateError when a gate failed."""
    failed = [f"{gate.name} ({gate.reason.rstrip('.')})" for gate in results if not gate.passed]
    if failed:
        raise GateError(f"The run failed {len(failed)} of its quality gates: {'; '.join(failed)}.")


def _ids(counted: NDArray[np.int64], table: NDArray[np.int64]) -> GateResult:
    wrong = np.flatnonzero((counted > 0) != (table > 0)) + 1
    named = f", the first is {wrong[0]}" if len(wrong) else ""
    reason = f"{len(wrong)} ids are in the picture or visible in the table, but not both{named}."
    return GateResult("ids", not len(wrong), float(len(wrong)), 0.0, reason)


def _area(counted: NDArray[np.int64], table: NDArray[np.int64]) -> GateResult:
    shown = (table > 0) & (counted != table)
    wrong = np.flatnonzero(shown) + 1
    named = f", the first is {wrong[0]} with {counted[shown][0]} instead of {table[shown][0]}" if len(wrong) else ""
    reason = f"{len(wrong)} visible particles have another area in the picture than in the table{named}."
    return GateResult("area", not len(wrong), float(len(wrong)), 0.0, reason)


def _exposure(real: NDArray[np.uint8]) -> GateResult:
    deviation = float(real.std())
    reason = f"The real image's standard deviation is {deviation:.2f} grey levels; at least {FLAT:g} is not flat."
    return GateResult("exposure", deviation > FLAT, deviation, FLAT, reason)


def _saturation(ids: NDArray[np.uint16], real: NDArray[np.uint8]) -> GateResult:
    channels = np.moveaxis(real.reshape(*ids.shape, -1), 2, 0)
    lost = (np.maximum.reduce(channels) == 0) | (np.minimum.reduce(channels) == 255)
    share = float((lost & (ids > 0)).sum()) / max(1, int((ids > 0).sum()))
    reason = f"{share:.0%} of the particles' pixels are black or white; up to {SATURATED:.0%} is not saturated."
    return GateResult("saturation", share <= SATURATED, share, SATURATED, reason)


def _masks(ids: NDArray[np.uint16], real: NDArray[np.uint8]) -> tuple[GateResult, ...]:
    fit = measure(ids, real)
    if fit is None:
        return (GateResult("mask", True, 0.0, FIT, "The labels have no border in the picture: nothing to judge."),)
    if fit.border < THIN_BORDER and fit.evidence < THIN_EVIDENCE:
        reason = (
            f"Too thin to judge: {fit.border} px of border and {fit.evidence:.2f} strong edges per px of it "
            f"(judged from {THIN_BORDER} px or {THIN_EVIDENCE:g})."
        )
        return (GateResult("mask", True, fit.gain, FIT, reason),)
    return _mask(fit), _place(fit)


def _mask(fit: Fit) -> GateResult:
    reason = (
        f"Along the masks' borders the picture changes more than beside them at {fit.gain:+.1%} more places than along "
        f"the same borders elsewhere, {fit.lead:.0%} of the best elsewhere; {FIT:.1%} and {LEAD:.0%} are a fit."
    )
    return GateResult("mask", fit.gain >= FIT and fit.lead >= LEAD, fit.gain, FIT, reason)


def _place(fit: Fit) -> GateResult:
    reason = f"Labels 3 px aside fit by {fit.pull:+.0%} better; {PULL:.0%} or less is the right place."
    return GateResult("mask place", fit.pull <= PULL, fit.pull, PULL, reason)
