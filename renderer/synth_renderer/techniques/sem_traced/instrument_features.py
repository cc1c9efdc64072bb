"""Detector, edge effect and electronics of the traced electron microscope, read from the technique's features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.techniques.base.feature_values import number
from synth_renderer.techniques.sem_traced.detector import Acceptance, Electronics, TiltYield, compute_beam_electrons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.prototypes import FeatureValue


def read_tilt_yield(features: Mapping[str, FeatureValue]) -> TiltYield:
    """Return the edge effect that the features describe."""
    return TiltYield(
        factor=number(features, "edge_factor"),
        cutoff=number(features, "edge_cutoff"),
        exponent=number(features, "edge_exponent"),
    )


def read_acceptance(features: Mapping[str, FeatureValue]) -> Acceptance:
    """Return the detector that the features describe."""
    return Acceptance(
        azimuth=number(features, "detector_azimuth"),
        elevation=number(features, "collection_angle"),
        asymmetry=number(features, "detector_asymmetry"),
    )


def read_electronics(features: Mapping[str, FeatureValue]) -> Electronics:
    """Return beam, amplifier and digitiser that the features describe."""
    return Electronics(
        illumination=number(features, "illumination_strength"),
        electrons=compute_beam_electrons(
            number(features, "beam_current"), number(features, "dwell_time"), number(features, "noise_threshold")
        ),
        read_noise=number(features, "read_noise"),
        line_noise=number(features, "line_noise"),
        noise_correlation=number(features, "noise_correlation"),
    )
