"""The Fourier transform against numpy's, its inverse and its lengths."""

import numpy as np
import pytest

from synth_renderer.numerics.fourier import find_transform_length, transform_plane


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (12, 30), (45, 64), (100, 27)])
def test_the_transform_is_that_of_numpy_and_its_inverse_takes_it_back(shape):
    rng = np.random.default_rng(3)
    plane = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    real, imaginary = transform_plane(plane.real.copy(), plane.imag.copy())
    expected = np.fft.fft2(plane)
    assert np.abs(real + 1j * imaginary - expected).max() < 2e-7 * np.abs(expected).max()
    back = transform_plane(real, imaginary, inverse=True)
    assert np.abs(back[0] + 1j * back[1] - plane).max() < 1e-6


@pytest.mark.parametrize(("least", "length"), [(1, 1), (7, 8), (560, 576), (1001, 1024), (961, 972)])
def test_lengths_have_no_prime_factor_above_5(least, length):
    assert find_transform_length(least) == length


def test_another_length_is_refused():
    plane = np.zeros((4, 14))
    with pytest.raises(ValueError, match="a transform of 14 values; its length must have no prime factor above 5"):
        transform_plane(plane, plane)
