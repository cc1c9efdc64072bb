"""Quality gates: labels, particle table and real image of a run must agree before its manifest is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from synth_api.reasons import FailureReason
from synth_dataset.gates.mask_fit import MaskFit, measure_fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MIN_DEVIATION: Final = 0.5
"""Minimum standard deviation in grey levels: that of a uniform grey which rounding splits into two levels."""
MAX_SATURATION: Final = 0.75
"""Maximum share of the pixels of particles at 0 or 255; the ground may be black or white."""
MIN_GAIN: Final = 0.055
"""Minimum gain in rank over other places; labels of another picture have a gain of 0."""
MIN_LEAD: Final = 0.75
"""Minimum share of the gain at the best of 48 other places: a lattice of particles fits at several places."""
MAX_PULL: Final = 0.15
"""Maximum advantage of labels shifted by 3 px, as a share of the gain."""
_MAX_STATED_PULL: Final = 10.0
"""A larger advantage is one over labels that do not fit at all, and its size says nothing."""
MIN_BORDER_PIXELS: Final = 400
MIN_EVIDENCE: Final = 0.3
"""Labels with a shorter border (px) and fewer strong edges per border pixel cannot be judged."""


@dataclass(frozen=True)
class GateResult:
    """Result of a gate: measured value, threshold, and a sentence about both."""

    name: str
    passed: bool
    value: float
    threshold: float
    reason: str


class GateError(RuntimeError):
    """A run failed gates; the message names each with its value."""

    reason: ClassVar[FailureReason] = FailureReason.GATE_FAILED


def check_gates(
    ids: NDArray[np.uint16],
    visible_px: NDArray[np.int64],
    real: NDArray[np.uint8] | None,
    regions: NDArray[np.integer[Any]] | None = None,
) -> tuple[GateResult, ...]:
    """Check a run against all gates and return their results.

    ids: instances (H, W), 0 for ground. visible_px: pixels of particles 1..N in them by the table (N,).
    real: real image (H, W) or (H, W, 3); None if there is none, then only the table is compared.
    regions: numbers (H, W) that change wherever the picture does by the labels, if those are not the ids: a particle
    that shines through another one changes the picture along its whole outline.
    A picture without a visible particle has only the gate `ids`.
    """
    pixels = np.bincount(ids.ravel(), minlength=len(visible_px) + 1)[1:]
    table = np.zeros(len(pixels), np.int64)
    table[: len(visible_px)] = visible_px
    results = [_check_ids(pixels, table)]
    if not pixels.any() and not table.any():
        return tuple(results)
    results.append(_check_area(pixels, table))
    if real is not None:
        results += [
            _check_exposure(real),
            _check_saturation(ids, real),
            *_check_masks(ids if regions is None else regions, real),
        ]
    return tuple(results)


def require_gates(results: Iterable[GateResult]) -> None:
    """Raise GateError if a gate failed; the message names the failed gates."""
    failed = [f"{gate.name} ({gate.reason.rstrip('.')})" for gate in results if not gate.passed]
    if failed:
        raise GateError(f"The run failed {len(failed)} of its quality gates: {'; '.join(failed)}.")


def _check_ids(pixels: NDArray[np.int64], table: NDArray[np.int64]) -> GateResult:
    wrong = np.flatnonzero((pixels > 0) != (table > 0)) + 1
    named = f", the first is {wrong[0]}" if len(wrong) else ""
    reason = f"{len(wrong)} ids are in the picture or visible in the table, but not both{named}."
    return GateResult("ids", not len(wrong), float(len(wrong)), 0.0, reason)


def _check_area(pixels: NDArray[np.int64], table: NDArray[np.int64]) -> GateResult:
    shown = (table > 0) & (pixels != table)
    wrong = np.flatnonzero(shown) + 1
    named = f", the first is {wrong[0]} with {pixels[shown][0]} instead of {table[shown][0]}" if len(wrong) else ""
    reason = f"{len(wrong)} visible particles have another area in the picture than in the table{named}."
    return GateResult("area", not len(wrong), float(len(wrong)), 0.0, reason)


def _check_exposure(real: NDArray[np.uint8]) -> GateResult:
    deviation = float(real.std())
    reason = (
        f"The real image's standard deviation is {deviation:.2f} grey levels; at least {MIN_DEVIATION:g} is not flat."
    )
    return GateResult("exposure", deviation > MIN_DEVIATION, deviation, MIN_DEVIATION, reason)


def _check_saturation(ids: NDArray[np.uint16], real: NDArray[np.uint8]) -> GateResult:
    channels = np.moveaxis(real.reshape(*ids.shape, -1), 2, 0)
    lost = (np.maximum.reduce(channels) == 0) | (np.minimum.reduce(channels) == 255)
    share = float((lost & (ids > 0)).sum()) / max(1, int((ids > 0).sum()))
    reason = f"{share:.0%} of the particles' pixels are black or white; up to {MAX_SATURATION:.0%} is not saturated."
    return GateResult("saturation", share <= MAX_SATURATION, share, MAX_SATURATION, reason)


def _check_masks(regions: NDArray[np.integer[Any]], real: NDArray[np.uint8]) -> tuple[GateResult, ...]:
    fit = measure_fit(regions, real)
    if fit is None:
        return (GateResult("mask", True, 0.0, MIN_GAIN, "The labels have no border in the picture: nothing to judge."),)
    if fit.border < MIN_BORDER_PIXELS and fit.evidence < MIN_EVIDENCE:
        reason = (
            f"Too thin to judge: {fit.border} px of border and {fit.evidence:.2f} strong edges per px of it "
            f"(judged from {MIN_BORDER_PIXELS} px or {MIN_EVIDENCE:g})."
        )
        return (GateResult("mask", True, fit.gain, MIN_GAIN, reason),)
    return _check_gain(fit), _check_place(fit)


def _check_gain(fit: MaskFit) -> GateResult:
    reason = (
        f"Along the masks' borders the picture changes more than beside them at {fit.gain:+.1%} more places than along "
        f"the same borders elsewhere, {fit.lead:.0%} of the best there; a fit has {MIN_GAIN:.1%} and {MIN_LEAD:.0%}."
    )
    return GateResult("mask", fit.gain >= MIN_GAIN and fit.lead >= MIN_LEAD, fit.gain, MIN_GAIN, reason)


def _check_place(fit: MaskFit) -> GateResult:
    better = f"{fit.pull:+.0%}" if fit.pull <= _MAX_STATED_PULL else f"more than {_MAX_STATED_PULL:+.0%}"
    reason = f"Labels 3 px aside fit by {better} better; {MAX_PULL:.0%} or less is the right place."
    return GateResult("mask place", fit.pull <= MAX_PULL, fit.pull, MAX_PULL, reason)
