import pytest

from synth_operator.watch.ages import DEAF_SECONDS, WATCH_SECONDS, WatchAges

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


def test_one_watch_that_does_not_end_is_deaf_whatever_the_others_hear(ages: WatchAges, clock: Clock) -> None:
    clock.now = DEAF_SECONDS
    assert ages.problem == ""
    ages.heard(JOBS)
    clock.now += 1

    assert ages.problem == f"nothing was heard from the watch of {PODS} for 151 s"
    ages.heard(PODS)
    assert ages.problem == ""


def test_a_short_break_makes_no_watch_deaf() -> None:
    assert DEAF_SECONDS > 2 * WATCH_SECONDS + 10


def test_what_was_heard_counts_on_when_the_indexes_begin_anew(ages: WatchAges, clock: Clock) -> None:
    clock.now = DEAF_SECONDS + 1
    ages.begin()

    assert "nothing was heard" in ages.problem


def test_a_second_list_is_noticed_until_the_indexes_begin_anew(ages: WatchAges) -> None:
    assert ages.listed(JOBS)
    assert ages.listed(PODS)
    assert not ages.listed(JOBS)
    ages.begin()
    assert ages.listed(JOBS)


def test_other_paths_do_not_matter(ages: WatchAges) -> None:
    assert not ages.heard("/apis")
    assert ages.listed("/api/v1/secrets")
