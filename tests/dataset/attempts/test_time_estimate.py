"""How long runs will take: only runs with the same pictures count, and among them the nearest in size."""

from __future__ import annotations

import pytest

from synth_dataset.attempts.time_estimate import estimate_time


def recipe(number: int, percentage: int = 100) -> dict:
    return {
        "blueprints": {
            "measurement_techniques": {"SEM": {"features": {"resolution_percentage": percentage}}},
            "particles": {"Bead": {"number": number}},
        },
        "synth_chain": {"rendering_steps": [{"_target_": "$builtins.SaveState"}]},
    }


@pytest.fixture
def measured():
    def run(seconds: float, *of: int):
        return recipe(*of), seconds

    return run


def test_without_a_run_with_the_same_pictures_there_is_no_estimate(measured):
    assert estimate_time([recipe(600)], []) is None
    assert estimate_time([recipe(600)], [measured(0.3, 600, 10)]) is None


def test_small_pictures_in_the_store_do_not_count_for_large_ones(measured):
    found = estimate_time([recipe(600)], [measured(0.3, 600, 10), measured(14.0, 600), measured(0.3, 600, 10)])
    assert (found.seconds_per_run, found.measured, found.is_rough) == (14.0, 1, False)


def test_each_run_takes_as_long_as_its_nearest_in_number_of_particles(measured):
    store = [measured(5.0, 100), measured(14.0, 600)]
    found = estimate_time([recipe(100), recipe(600)], [run for run in store for _ in range(5)])
    assert (found.seconds_per_run, found.is_rough) == (9.5, False)


def test_a_run_that_warms_up_does_not_count(measured):
    assert estimate_time([recipe(10)], [measured(9.0, 10), measured(1.0, 10), measured(1.0, 10)]).seconds_per_run == 1.0


def test_without_a_run_near_it_or_with_one_unknown_the_estimate_is_rough(measured):
    assert estimate_time([recipe(600)], [measured(5.0, 100)]).is_rough
    assert estimate_time([recipe(600), recipe(600, 50)], [measured(14.0, 600)]).is_rough


def test_a_recipe_without_particles_is_measured_too(measured):
    assert estimate_time([recipe(0)], [measured(2.0, 0)]).seconds_per_run == 2.0
