from hypothesis import given
from hypothesis import strategies as st

from synth_cli.commands.plan import time_words
from synth_cli.local.existing import SAMPLE, Existing, Sample
from synth_dataset.attempts.estimate import Estimate


@given(st.integers(0, 20 * SAMPLE))
def test_a_sample_is_spread_evenly_over_what_it_has_seen(length: int) -> None:
    sample = Sample()
    for number in range(length):
        sample.add(number)
    assert sample.seen == length
    assert sample.numbers == list(range(0, length, sample.stride))
    assert min(length, SAMPLE // 2) <= len(sample.numbers) <= SAMPLE


def test_the_time_says_what_it_comes_from() -> None:
    near, rough = Estimate(4.0, 12, is_rough=False), Estimate(4.0, 1, is_rough=True)
    assert time_words(Existing(1, 30, near)) == (
        "about 2 min 00 s with one worker (4.0 s a run, measured on 12 runs like them)"
    )
    assert time_words(Existing(1, 30, rough)) == (
        "roughly 2 min 00 s with one worker (4.0 s a run, from 1 run, some unlike in size)"
    )
    assert time_words(Existing(0, 30, None)).startswith("unknown: ")
