from hypothesis import given
from hypothesis import strategies as st

from synth_cli.commands.plan import time_words
from synth_cli.local.existing_runs import SAMPLE, ExistingRuns, SpacedNumbers
from synth_dataset.attempts.time_estimate import TimeEstimate


@given(st.integers(0, 20 * SAMPLE))
def test_a_sample_is_spread_evenly_over_what_it_has_seen(length: int) -> None:
    sample = SpacedNumbers()
    for number in range(length):
        sample.add(number)
    assert sample.seen == length
    assert sample.numbers == list(range(0, length, sample.stride))
    assert min(length, SAMPLE // 2) <= len(sample.numbers) <= SAMPLE


def test_the_time_says_what_it_comes_from() -> None:
    near, rough = TimeEstimate(4.0, 12, is_rough=False), TimeEstimate(4.0, 1, is_rough=True)
    assert time_words(ExistingRuns(1, 30, near)) == (
        "about 2 min 00 s with one worker (4.0 s a run, measured on 12 runs like them)"
    )
    assert time_words(ExistingRuns(1, 30, rough)) == (
        "roughly 2 min 00 s with one worker (4.0 s a run, from 1 run, some unlike in size)"
    )
    assert time_words(ExistingRuns(0, 30, None)).startswith("unknown: ")
