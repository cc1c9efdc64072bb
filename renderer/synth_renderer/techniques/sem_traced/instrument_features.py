"""Detector, edge effect and electronics of the traced electron microscope, read from the technique's features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.sem_traced.detector import Acceptance, Electronics, TiltYield, compute_beam_electrons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.prototypes.feature import FeatureValue


def read_tilt_yield(features: Mapping[str, FeatureValue]) -> TiltYield:
    """Return the edge effect that the features describe."""
    return TiltYield(
        factor=read_number(features, "edge_factor"),
        cutoff=read_number(features, "edge_cutoff"),
        exponent=read_number(features, "edge_exponent"),
    )


def read_acceptance(features: Mapping[str, FeatureValue]) -> Acceptance:
    """Return the detector that the features describe."""
    return Acceptance(
        azimuth=read_number(features, "detector_azimuth"),
        elevation=read_number(features, "collection_angle"),
        asymmetry=read_number(features, "detector_asymmetry"),
    )


def read_electronics(features: Mapping[str, FeatureValue]) -> Electronics:
    """Return beam, amplifier and digitiser that the features describe."""
    return Electronics(
        illumination=read_number(features, "illumination_strength"),
        electrons=compute_beam_electrons(
            read_number(features, "beam_current"),
            read_number(features, "dwell_time"),
            read_number(features, "noise_threshold"),
        ),
        read_noise=read_number(features, "read_noise"),
        line_noise=read_number(features, "line_noise"),
        noise_correlation=read_number(features, "noise_correlation"),
    )
