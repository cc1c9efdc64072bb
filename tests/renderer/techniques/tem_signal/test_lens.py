"""Contrast of the phase: fringes by the sign of the focus, the transfer function's zeros, and no electron lost."""

import numpy as np
import pytest

from synth_renderer.techniques.tem_signal.lens import Lens, compute_wavelength, form_image
from synth_renderer.techniques.tem_signal.speckle import draw_phase_speckle

KEY = np.uint64(4711)
WAVELENGTH = compute_wavelength(200.0)
ONES = np.ones((256, 256), dtype=np.float32)


def put_edge(height: float) -> np.ndarray:
    """Phase (256, 256) of a film of `height` rad that begins at column 128."""
    phase = np.zeros((256, 256), dtype=np.float32)
    phase[:, 128:] = height
    return phase


@pytest.mark.parametrize(("kilovolts", "picometres"), [(80, 4.176), (100, 3.701), (200, 2.508), (300, 1.969)])
def test_wavelengths_are_the_published_ones(kilovolts, picometres):
    assert 1000 * compute_wavelength(kilovolts) == pytest.approx(picometres, abs=1e-3)


def test_an_ideal_lens_changes_nothing():
    assert form_image(ONES, put_edge(1.0), Lens(WAVELENGTH, 0.0), 1.0) is ONES


@pytest.mark.parametrize("height", [0.2, 4.0])
def test_the_rim_outside_an_edge_is_bright_under_focus_and_dark_over_focus(height):
    under, over = (form_image(ONES, put_edge(height), Lens(WAVELENGTH, dz), 0.5)[100] for dz in (1000.0, -1000.0))
    assert under[124:128].max() > 1.05
    assert over[124:128].min() < 0.95
    assert abs(under[:80] - 1).max() < 0.1


def test_the_first_fringe_is_as_wide_as_the_defocus_makes_it():
    for underfocus in (500.0, 2000.0):
        profile = form_image(ONES, put_edge(0.2), Lens(WAVELENGTH, underfocus), 0.25)[100, :128]
        distance = 127.5 - np.argmax(profile)
        # Of a weak step in phase the stationary points of the fringes lie about sqrt(lambda dz / 2) from the edge.
        assert distance * 0.25 == pytest.approx(np.sqrt(WAVELENGTH * underfocus / 2), rel=0.35)


def measure_spectrum(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean power in rings of the width 1 / 256 cycles per pixel, and the rings' frequencies."""
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    ring = np.rint(frequency * 256).astype(int).ravel()
    return np.bincount(ring, power.ravel())[:128] / np.bincount(ring)[:128], np.arange(128) / 256


@pytest.mark.parametrize("spherical_aberration", [0.0, 1.2])
def test_amorphous_matter_shows_the_square_of_the_transfer_function(spherical_aberration):
    pixel, underfocus = 0.2, 100.0
    phase = draw_phase_speckle(ONES, KEY, 0.05)
    image = form_image(ONES, phase, Lens(WAVELENGTH, underfocus, spherical_aberration), pixel)
    power, frequency = measure_spectrum(image)
    q = frequency / pixel
    w = 0.5 * np.pi * (spherical_aberration * 1e6 * WAVELENGTH**3 * q**4 - 2 * underfocus * WAVELENGTH * q**2)
    transfer = np.sin(w) ** 2
    assert np.corrcoef(power[2:], transfer[2:])[0, 1] > 0.97
    zero = int(np.argmin(np.abs(w[5:] + np.pi))) + 5
    assert power[zero] < 0.1 * power[zero // 2 : zero * 2].max()


def test_a_weak_phase_is_dark_under_focus_where_it_is_ahead():
    phase = 0.05 * np.cos(2 * np.pi * np.arange(270) / 18)[None, :256] * ONES
    image = form_image(ONES, phase.astype(np.float32), Lens(WAVELENGTH, 1000.0), 1.0)
    expected = 1 - 2 * np.sin(np.pi * 1000 * WAVELENGTH / 18**2) * phase
    assert np.abs(image - expected)[60:196, 60:196].max() < 0.01


def test_no_electron_is_lost():
    phase = put_edge(6.0) + draw_phase_speckle(ONES, KEY, 0.5)
    image = form_image(ONES, phase, Lens(WAVELENGTH, 2000.0, 1.2, 0.3), 0.5)
    assert image.mean(dtype=float) == pytest.approx(1.0, abs=2e-3)


def test_the_borders_of_the_picture_show_no_fringe():
    ramp = np.tile(np.linspace(0, 3, 256, dtype=np.float32), (256, 1))
    image = form_image(np.float32(0.2) + ramp / 5, ramp, Lens(WAVELENGTH, 1000.0), 0.5)
    assert np.abs(image - (np.float32(0.2) + ramp / 5)).max() < 0.03


def test_a_cone_of_illumination_weakens_fringes():
    parallel, cone = (form_image(ONES, put_edge(1.0), Lens(WAVELENGTH, 2000.0, 0.0, a), 0.5) for a in (0.0, 0.6))
    assert np.abs(cone - 1).max() < 0.6 * np.abs(parallel - 1).max()


def test_speckle_grows_with_the_root_of_the_thickness_and_0_is_off():
    thickness = 4 * ONES
    assert draw_phase_speckle(thickness, KEY, 0.3).std() == pytest.approx(0.6, rel=0.02)
    assert not draw_phase_speckle(0 * ONES, KEY, 0.3).any()
    assert not draw_phase_speckle(thickness, KEY, 0.0).any()
