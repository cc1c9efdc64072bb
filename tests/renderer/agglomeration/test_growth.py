"""Agglomerates: fractal dimension, contacts, sintering, the same agglomerate for the same key."""

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from synth_renderer.agglomeration.growth import (
    FRACTAL_DIMENSIONS,
    Agglomerate,
    grow_agglomerate,
    measure_gyration,
)
from synth_renderer.model.transforms import rotation_matrix

MODES = ["cluster-cluster", "particle-cluster"]


def grow(
    radii: ArrayLike,
    mode: str = "cluster-cluster",
    speed: float = 1.0,
    randomness: float = 0.0,
    sintering: float = 0.0,
    key: int = 1,
) -> Agglomerate:
    return grow_agglomerate(np.asarray(radii, dtype=float), mode, speed, randomness, sintering, np.uint64(key))


def nearness(grown: Agglomerate, radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of any two centres over the sum of their radii (N, N)."""
    sums = np.add.outer(radii, radii)
    near: NDArray[np.float64] = np.linalg.norm(
        grown.centres[:, None] - grown.centres[None], axis=2
    ) / sums + 10 * np.eye(len(radii))
    return near


@pytest.mark.parametrize(("mode", "is_brownian"), FRACTAL_DIMENSIONS)
def test_fractal_dimension_is_the_published_one(mode: str, is_brownian: bool) -> None:
    # Of the centres, over sizes up to 100: N = k (Rg / a)^D.
    sizes = np.array([16, 32, 64, 100])
    gyration = [
        np.sqrt(np.mean([(grow(np.ones(n), mode, 1.0, float(is_brownian), key=300 * n + k).centres ** 2).sum() / n
                         for k in range(200)]))
        for n in sizes
    ]  # fmt: skip
    dimension = np.polyfit(np.log(gyration), np.log(sizes), 1)[0]
    assert dimension == pytest.approx(FRACTAL_DIMENSIONS[mode, is_brownian], abs=0.1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("randomness", [0.0, 0.5, 1.0])
def test_spheres_touch_and_do_not_overlap(mode: str, randomness: float) -> None:
    radii = np.random.default_rng(3).uniform(0.5, 2.0, 60)
    grown = grow(radii, mode, 0.7, randomness)
    near = nearness(grown, radii)
    assert near.min() > 1 - 1e-9
    first, second = grown.contacts.T
    np.testing.assert_allclose(near[first, second], 1, atol=1e-9)
    assert np.count_nonzero(np.triu(near < 1 + 1e-6)) == 59


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_sintering_ratio_is_the_deepest_overlap_and_that_of_every_collision(ratio: float) -> None:
    radii = np.random.default_rng(4).uniform(0.5, 2.0, 40)
    grown = grow(radii, sintering=ratio)
    near = nearness(grown, radii)
    assert near.min() >= 1 - ratio - 1e-9
    np.testing.assert_allclose(near[tuple(grown.contacts.T)], 1 - ratio, atol=1e-7)


def test_contacts_join_all_spheres() -> None:
    cluster = np.arange(30)
    for first, second in grow(np.ones(30)).contacts:
        cluster[cluster == cluster[second]] = cluster[first]
    assert len(set(cluster)) == 1


def test_particles_join_one_by_one_or_clusters_do() -> None:
    counts = {mode: np.bincount(grow(np.ones(64), mode).contacts[:, 1], minlength=64) for mode in MODES}
    assert counts["particle-cluster"].max() == 1
    assert counts["cluster-cluster"].max() > 1


def test_turns_are_rotations_that_the_cluster_made_as_one() -> None:
    grown = grow([1.0, 1.0, 1.0, 1.0], "particle-cluster")
    np.testing.assert_allclose((grown.turns**2).sum(axis=1), 1)
    still = np.flatnonzero((grown.turns == [1, 0, 0, 0]).all(axis=1))
    assert len(still) == 1
    matrix = rotation_matrix(grown.turns[(still[0] + 1) % 4])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)


def test_centre_of_mass_is_the_origin_and_gyration_is_that_of_the_bodies() -> None:
    radii = np.array([1.0, 2.0])
    grown = grow(radii)
    np.testing.assert_allclose(grown.centres[0] + 8 * grown.centres[1], 0, atol=1e-12)
    expected = (1 * (8 / 3) ** 2 + 8 * (1 / 3) ** 2 + 0.6 * (1 + 32)) / 9
    assert measure_gyration(grown.centres, radii) == pytest.approx(np.sqrt(expected))
    assert measure_gyration(np.zeros((1, 3)), np.ones(1)) == pytest.approx(np.sqrt(0.6))


def test_one_sphere_stays_where_it_is() -> None:
    grown = grow([3.0])
    assert (grown.centres == 0).all()
    assert len(grown.contacts) == 0


def test_equal_keys_give_equal_agglomerates_and_others_other_ones() -> None:
    assert (grow(np.ones(20)).centres == grow(np.ones(20)).centres).all()
    assert (grow(np.ones(20)).centres != grow(np.ones(20), key=2).centres).any()


def test_tiny_steps_end() -> None:
    radii = np.ones(12)
    assert nearness(grow(radii, speed=1e-9, randomness=0.9), radii).min() > 1 - 1e-9
