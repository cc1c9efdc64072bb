from hypothesis import given
from hypothesis import strategies as st

from synth_cli.commands.plan import format_time
from synth_cli.local.existing_runs import MAX_SAMPLES, ExistingRuns, SpacedNumbers
from synth_dataset.attempts.time_estimate import TimeEstimate


@given(st.integers(0, 20 * MAX_SAMPLES))
def test_spaced_numbers_cover_the_stream_evenly(length: int) -> None:
    sample = SpacedNumbers()
    for number in range(length):
        sample.add(number)
    assert sample.seen == length
    assert sample.numbers == list(range(0, length, sample.stride))
    assert min(length, MAX_SAMPLES // 2) <= len(sample.numbers) <= MAX_SAMPLES


def test_the_time_has_its_source() -> None:
    near, rough = TimeEstimate(4.0, 12, is_rough=False), TimeEstimate(4.0, 1, is_rough=True)
    assert format_time(ExistingRuns(1, 30, near)) == (
        "about 2 min 00 s with one worker (4.0 s a run, measured on 12 runs like them)"
    )
    assert format_time(ExistingRuns(1, 30, rough)) == (
        "roughly 2 min 00 s with one worker (4.0 s a run, from 1 run, some of another size)"
    )
    assert format_time(ExistingRuns(0, 30, None)).startswith("unknown: ")
