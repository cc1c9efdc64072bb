"""Streams are named, counter-based and pinned by published vectors."""

from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synth_renderer.randomness.streams import Stream, build_step_names, philox

STEP = "$builtins.TriggerFeatureUpdate:ParticleDimension:AllParticles:1"
BEAD_7 = (42, STEP, "sphereBead.7", "dimensions")
NEIGHBOURS = {
    "seed": (43, STEP, "sphereBead.7", "dimensions"),
    "step": (42, STEP[:-1] + "2", "sphereBead.7", "dimensions"),
    "object": (42, STEP, "sphereBead.8", "dimensions"),
    "feature": (42, STEP, "sphereBead.7", "location"),
}
ALMOST_NEVER = 1e-6
"""The streams are fixed, so a test that passes once passes for ever; a wrong sampler falls far below this p-value."""


def draws(method: str, count: int, *arguments: int) -> list:
    stream = Stream(*BEAD_7)
    return [getattr(stream, method)(*arguments) for _ in range(count)]


# Random123's kat_vectors, philox4x64 with 10 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        (0, (0, 0), (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B)),
        (
            2**256 - 1,
            (2**64 - 1, 2**64 - 1),
            (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(
    counter: int, key: tuple[int, int], words: tuple[int, ...]
) -> None:
    assert philox(counter, key) == words


@given(
    st.integers(0, 2**53 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_the_words_are_philox_keyed_by_the_hash_of_the_canonical_name(seed: int, name: str, feature: str) -> None:
    key = sha256(rfc8785.dumps([seed, STEP, name, feature])).digest()[:16]
    oracle = np.random.Philox(key=int.from_bytes(key, "little")).random_raw(9)
    stream = Stream(seed, STEP, name, feature)
    assert [stream.draw_word() for _ in range(9)] == oracle.tolist()


def test_published_vectors(vectors: dict[str, list]) -> None:
    assert [f"{word:#018x}" for word in draws("draw_word", 4)] == vectors["words"]
    assert draws("draw_uniform", 4) == vectors["uniform"]
    assert draws("draw_below", 8, 10) == vectors["below 10"]
    assert np.float32(draws("draw_normal", 4)).tolist() == vectors["normal, as float32"]


def test_uniform_is_uniform() -> None:
    u = np.array(draws("draw_uniform", 20_000))
    assert u.min() >= 0
    assert u.max() < 1
    assert stats.chisquare(np.histogram(u, 100, (0, 1))[0]).pvalue > ALMOST_NEVER


@pytest.mark.parametrize("n", [1, 2, 3, 10, 64, 100])
def test_below_is_unbiased(n: int) -> None:
    counts = np.bincount(draws("draw_below", 10_000, n), minlength=n)
    assert len(counts) == n
    assert stats.chisquare(counts).pvalue > ALMOST_NEVER or n == 1


def test_below_reaches_past_a_double() -> None:
    values = draws("draw_below", 100, 2**64)
    assert len({value % 2048 for value in values}) > 50


def test_normal_is_normal() -> None:
    edges = stats.norm.ppf(np.linspace(0, 1, 51))
    counts = np.histogram(draws("draw_normal", 20_000), edges)[0]
    assert stats.chisquare(counts).pvalue > ALMOST_NEVER


@pytest.mark.parametrize("changed", NEIGHBOURS)
def test_neighbouring_streams_are_independent(changed: str) -> None:
    one, other = Stream(*BEAD_7), Stream(*NEIGHBOURS[changed])
    u = np.array([(one.draw_uniform(), other.draw_uniform()) for _ in range(10_000)])
    counts = np.histogram2d(u[:, 0], u[:, 1], 8, ((0, 1), (0, 1)))[0]
    assert stats.chi2_contingency(counts).pvalue > ALMOST_NEVER


@pytest.mark.parametrize("varied", ["seed", "object"])
def test_first_draws_across_streams_are_uniform_and_uncorrelated(varied: str) -> None:
    def first(i: int) -> float:
        seed, name = (i, "bead") if varied == "seed" else (42, f"bead.{i}")
        return Stream(seed, STEP, name, "dimensions").draw_uniform()

    u = np.array([first(i) for i in range(5_000)])
    assert stats.chisquare(np.histogram(u, 50, (0, 1))[0]).pvalue > ALMOST_NEVER
    assert stats.pearsonr(u[:-1], u[1:]).pvalue > ALMOST_NEVER


def step(target: str, **fields: str) -> SimpleNamespace:
    return SimpleNamespace(target=target, **fields)


def test_a_step_is_named_by_what_it_does_and_counted_among_its_like() -> None:
    beads = {"feature_variability_name": "Size", "affected_set_name": "Beads"}
    relax = step("$builtins.RelaxCollisions", affected_set_name="Beads", id="relax")
    trigger = step("$builtins.TriggerFeatureUpdate", **beads)
    assert build_step_names([trigger, relax, trigger, step("$builtins.LoadState", name="x")]) == [
        "$builtins.TriggerFeatureUpdate:Size:Beads:1",
        "$builtins.RelaxCollisions::Beads:1",
        "$builtins.TriggerFeatureUpdate:Size:Beads:2",
        "$builtins.LoadState:::1",
    ]
