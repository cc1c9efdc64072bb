"""The measurement techniques by prototype name. Importing them does not import bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_renderer.techniques.photograph.photograph import Photograph
from synth_renderer.techniques.sem_signal.scanning_electron_microscope import ScanningElectronMicroscope
from synth_renderer.techniques.sem_signal.sem_aggregate import SemAggregate
from synth_renderer.techniques.sem_traced.secondary_electron_microscope import SecondaryElectronMicroscope
from synth_renderer.techniques.tem_signal.transmission_electron_microscope import TransmissionElectronMicroscope

if TYPE_CHECKING:
    from synth_renderer.techniques.base.technique import Technique

TECHNIQUES: Final[dict[str, Technique]] = {
    "default": Photograph(),
    "scanning_electron_microscope": ScanningElectronMicroscope(),
    "secondary_electron_microscope": SecondaryElectronMicroscope(),
    "sem_aggregate": SemAggregate(),
    "transmission_electron_microscope": TransmissionElectronMicroscope(),
}
