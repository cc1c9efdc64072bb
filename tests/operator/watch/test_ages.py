import pytest

from synth_operator.watch.ages import STALE_SECONDS, WATCH_SECONDS, WatchAges

JOBS, PODS = "/apis/batch/v1/jobs", "/api/v1/pods"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ages(clock: Clock) -> WatchAges:
    return WatchAges((JOBS, PODS), clock)


def test_one_watch_without_an_end_is_stale_whatever_the_others_do(ages: WatchAges, clock: Clock) -> None:
    clock.now = STALE_SECONDS
    assert ages.problem == ""
    ages.record_end(JOBS)
    clock.now += 1

    assert ages.problem == f"the watch of {PODS} is stale: no answer for 151 s"
    ages.record_end(PODS)
    assert ages.problem == ""


def test_a_short_outage_makes_no_watch_stale() -> None:
    assert STALE_SECONDS > 2 * WATCH_SECONDS + 10


def test_ages_go_on_when_the_indexes_start_empty(ages: WatchAges, clock: Clock) -> None:
    clock.now = STALE_SECONDS + 1
    ages.reset_lists()

    assert "is stale" in ages.problem


def test_a_second_list_is_detected_until_the_indexes_start_empty(ages: WatchAges) -> None:
    assert ages.record_list(JOBS)
    assert ages.record_list(PODS)
    assert not ages.record_list(JOBS)
    ages.reset_lists()
    assert ages.record_list(JOBS)


def test_other_paths_do_not_matter(ages: WatchAges) -> None:
    assert not ages.record_end("/apis")
    assert ages.record_list("/api/v1/secrets")
