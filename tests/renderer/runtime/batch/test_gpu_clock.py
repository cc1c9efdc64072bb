"""GPU seconds of runs that are in flight together."""

from hypothesis import given
from hypothesis import strategies as st

from synth_renderer.runtime.batch.gpu_clock import GpuClock


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_run_alone_has_the_whole_time_of_all_gpus() -> None:
    time = Time()
    clock = GpuClock(2, time)
    clock.start(7)
    time.now += 5

    assert clock.stop(7) == 10.0


def test_runs_in_flight_share_the_time() -> None:
    time = Time()
    clock = GpuClock(1, time)
    clock.start(1)
    time.now += 4
    clock.start(2)
    time.now += 6

    assert (clock.stop(1), clock.stop(2)) == (4 + 3, 3)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), max_size=40), st.integers(0, 4))
def test_the_sum_is_the_time_in_which_a_run_is_in_flight(steps: list[tuple[int, int]], gpus: int) -> None:
    time = Time()
    clock = GpuClock(gpus, time)
    in_flight: set[int] = set()
    busy = spent = 0.0
    for run, seconds in [*steps, *((run, 0) for run in range(4))]:
        if run in in_flight or seconds == 0:
            spent += clock.stop(run)
            in_flight.discard(run)
        else:
            clock.start(run)
            in_flight.add(run)
        time.now += seconds
        busy += seconds if in_flight else 0

    spent += sum(clock.stop(run) for run in range(4))
    assert abs(spent - gpus * busy) < 1e-6
