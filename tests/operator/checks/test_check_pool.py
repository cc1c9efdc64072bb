"""The pool of check processes: the same answers as in one process, and limits that end a check and nothing else."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output
from synth_api.resources.synth_sweep import SweepSpec
from synth_operator.checks.check_process import CheckFailedError
from synth_operator.checks.pool import CheckPool
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.validation import ValidatedSweep, validate_sweep

OUTPUT = Output(endpoint="store:9000", bucket="bucket")
RECIPE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "recipes/spheres_sem.yaml").read_text())
SEED = "initial_runtime_state.seed"
MANY_VALUES = ",".join(["1"] * 2000)
EXPENSIVE = [f"+initial_runtime_state.x{number}={MANY_VALUES}" for number in range(16)]
VALUES = [f"{number:03000}" for number in range(10_000)]
LARGE = [{"path": f"+initial_runtime_state.x{number}", "values": VALUES} for number in range(2)]


def recipe(tree: dict[str, Any] = RECIPE) -> RecipeObject:
    metadata = {"namespace": "lab", "name": "spheres", "uid": "1", "resourceVersion": "1"}
    return RecipeObject.from_json({"metadata": metadata, "spec": {"recipe": tree}})


def spec(**more: Any) -> SweepSpec:
    return SweepSpec.model_validate({"recipeRef": {"name": "spheres"}, **more})


@pytest.fixture(scope="module")
def pool() -> Iterator[CheckPool]:
    pool = CheckPool(workers=1, cpu_seconds=0.4)
    yield pool
    pool.close()


def check(pool: CheckPool, **more: Any) -> ValidatedSweep | Problem:
    return pool.check_sweep("lab", "sweep", spec(**more), recipe(), OUTPUT)


@pytest.mark.parametrize("overrides", [[f"{SEED}=range(15)"], [f"{SEED}=1,x"], ["initial_runtime_state.sed=1"]])
def test_a_sweep_has_the_same_answer_as_without_the_pool(pool: CheckPool, overrides: list[str]) -> None:
    assert check(pool, overrides=overrides) == validate_sweep("sweep", spec(overrides=overrides), recipe(), OUTPUT)


def test_a_recipe_is_checked_without_a_sweep(pool: CheckPool) -> None:
    assert pool.check_recipe("lab", recipe()) is None
    problem = pool.check_recipe("lab", recipe({"defaults": ["BaseRecipe"], "synth_chain": 7}))

    assert problem
    assert problem.message.startswith("The recipe 'spheres' is invalid: ")


def test_a_check_beyond_its_processor_time_is_the_sweeps_problem_and_the_next_check_works(pool: CheckPool) -> None:
    problem = check(pool, overrides=EXPENSIVE)

    assert problem == Problem(
        reason=Reason.SWEEP_INVALID,
        message="The sweep is too large to check: it takes more than 0.4 s of processor time; make it smaller.",
    )
    assert isinstance(check(pool), ValidatedSweep)


def test_a_check_beyond_its_memory_is_the_sweeps_problem_and_the_next_check_works() -> None:
    pool = CheckPool(workers=1, memory_mib=140)
    try:
        problem = check(pool, axes=[{"zip": LARGE}])

        assert problem == Problem(
            reason=Reason.SWEEP_INVALID,
            message="The sweep is too large to check: it needs more than 140 MiB of memory; make it smaller.",
        )
        assert isinstance(check(pool), ValidatedSweep)
    finally:
        pool.close()


def test_a_check_whose_process_somebody_ends_is_tried_again(pool: CheckPool) -> None:
    check(pool)
    os.kill(find_process(pool), signal.SIGKILL)

    assert isinstance(check(pool), ValidatedSweep)


def test_an_expensive_check_lowers_the_priority_of_its_process_and_the_next_check_has_another_one() -> None:
    pool = CheckPool(workers=1)
    try:
        assert isinstance(check(pool), ValidatedSweep)
        first = find_process(pool)
        usual = os.getpriority(os.PRIO_PROCESS, first)
        future = pool.submit_sweep("lab", "sweep", spec(overrides=EXPENSIVE), recipe(), OUTPUT)
        while os.getpriority(os.PRIO_PROCESS, first) == usual:
            assert not future.done(), "its priority stayed"
        assert "too large to check" not in str(future.result())

        assert isinstance(check(pool), ValidatedSweep)
        assert find_process(pool) != first
        assert os.getpriority(os.PRIO_PROCESS, find_process(pool)) == usual
    finally:
        pool.close()


def find_process(pool: CheckPool) -> int:
    process = pool._processes[0]._process
    assert process is not None
    assert process.pid is not None
    return process.pid


def test_warnings_of_a_check_are_logged_here(pool: CheckPool, caplog: pytest.LogCaptureFixture) -> None:
    tree = {**RECIPE, "hydra": {"job": {}}}
    assert pool.check_recipe("lab", recipe(tree)) is None

    assert "the section 'hydra' is ignored" in caplog.text


def test_one_namespace_leaves_a_process_to_the_others() -> None:
    pool = CheckPool(workers=2, cpu_seconds=5)
    try:
        hostile = [pool.submit_sweep("hostile", "s", spec(overrides=EXPENSIVE), recipe(), OUTPUT) for _ in range(4)]
        honest = pool.check_sweep("honest", "s", spec(), recipe(), OUTPUT)

        assert isinstance(honest, ValidatedSweep)
        assert not hostile[1].done()
    finally:
        pool.close()
    assert hostile[-1].cancelled()


def test_close_ends_a_check_in_progress() -> None:
    pool = CheckPool(workers=1)
    future = pool.submit_sweep("lab", "s", spec(overrides=EXPENSIVE), recipe(), OUTPUT)
    started = threading.Event()
    while not future.running() and not started.wait(0.01):
        pass
    pool.close()

    with pytest.raises(CheckFailedError, match="the operator ends"):
        future.result()
    assert pool.submit_recipe("lab", recipe()).cancelled()
