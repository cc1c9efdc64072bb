"""Checks for the reconciler: one per version of sweep and recipe, without a thread that waits."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import yaml

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output
from synth_api.resources.synth_dataset import DatasetDefinition
from synth_api.resources.synth_sweep import SweepSpec
from synth_api.version import ENGINE_VERSION
from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile.checker import Checker, CheckPendingError
from synth_operator.validation import (
    SourceSweep,
    ValidatedSweep,
    validate_recipe,
    validate_selection,
    validate_sweep,
)
from synth_operator.watch.kopf_setup import ObjectKey

OUTPUT = Output(endpoint="store:9000", bucket="datasets")
TREE: dict[str, Any] = yaml.safe_load(Path("recipes/spheres_sem.yaml").read_text(encoding="utf-8"))
KEY = ObjectKey(Resource.SWEEPS, "lab", "s")
RECIPE_KEY = ObjectKey(Resource.RECIPES, "lab", "r")


class SlowChecks:
    """A pool whose checks end when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []

    def submit_sweep(
        self, group: str, name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None
    ) -> Future[ValidatedSweep | Problem]:
        return self._submit(lambda: validate_sweep(name, spec, recipe, default))

    def submit_recipe(self, group: str, recipe: RecipeObject) -> Future[Problem | None]:
        return self._submit(lambda: validate_recipe(recipe))

    def submit_selection(
        self, group: str, definition: DatasetDefinition, sweeps: tuple[SourceSweep, ...]
    ) -> Future[Problem | None]:
        return self._submit(lambda: validate_selection(definition, sweeps))

    def _submit(self, check: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, check))
        return future

    def end(self) -> None:
        for future, check in self.waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(check())
        self.waiting.clear()


@pytest.fixture
def checks() -> SlowChecks:
    return SlowChecks()


@pytest.fixture
def queued() -> list[ObjectKey]:
    return []


@pytest.fixture
def checker(checks: SlowChecks, queued: list[ObjectKey]) -> Checker:
    return Checker(checks, lambda _: OUTPUT, queued.append)


def build_metadata(name: str, generation: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "namespace": "lab",
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "generation": generation,
        **more,
    }


def build_sweep(generation: int = 1, status: dict[str, Any] | None = None, **metadata: Any) -> SweepObject:
    spec = {"recipeRef": {"name": "r"}, "overrides": ["initial_runtime_state.seed=1,2"]}
    return SweepObject.from_json(
        {"metadata": build_metadata("s", generation, **metadata), "spec": spec, "status": status or {}}
    )


def build_recipe(generation: int = 1) -> RecipeObject:
    return RecipeObject.from_json({"metadata": build_metadata("r", generation), "spec": {"recipe": TREE}})


def check(checker: Checker, checks: SlowChecks, sweep: SweepObject, recipe: RecipeObject) -> ValidatedSweep | Problem:
    """Check a sweep to its end."""
    with pytest.raises(CheckPendingError):
        checker.check_sweep(KEY, sweep, recipe)
    checks.end()
    return checker.check_sweep(KEY, sweep, recipe)


def test_a_check_is_pending_until_its_end_which_queues_the_sweep(
    checker: Checker, checks: SlowChecks, queued: list[ObjectKey]
) -> None:
    with pytest.raises(CheckPendingError):
        checker.check_sweep(KEY, build_sweep(), build_recipe())
    with pytest.raises(CheckPendingError):
        checker.check_sweep(KEY, build_sweep(), build_recipe())
    assert len(checks.waiting) == 1
    assert queued == []

    checks.end()
    assert queued == [KEY]
    expected = validate_sweep("s", build_sweep().spec, build_recipe(), OUTPUT)
    assert checker.check_sweep(KEY, build_sweep(), build_recipe()) == expected


def test_a_sweep_is_checked_again_only_after_it_or_its_recipe_changed(checker: Checker, checks: SlowChecks) -> None:
    check(checker, checks, build_sweep(), build_recipe())
    checker.check_sweep(KEY, build_sweep(), build_recipe())
    assert checks.waiting == []

    check(checker, checks, build_sweep(generation=2), build_recipe())
    check(checker, checks, build_sweep(generation=2), build_recipe(generation=2))


def test_an_edit_cancels_the_check_of_the_former_version(checker: Checker, checks: SlowChecks) -> None:
    with pytest.raises(CheckPendingError):
        checker.check_sweep(KEY, build_sweep(), build_recipe())
    with pytest.raises(CheckPendingError):
        checker.check_sweep(KEY, build_sweep(generation=2), build_recipe())
    checker.forget(KEY)

    assert [future.cancelled() for future, _ in checks.waiting] == [True, True]


def test_a_failed_check_is_repeated(checker: Checker, checks: SlowChecks) -> None:
    with pytest.raises(CheckPendingError):
        checker.check_sweep(KEY, build_sweep(), build_recipe())
    checks.waiting.pop()[0].set_exception(RuntimeError("no more processes"))
    with pytest.raises(RuntimeError, match="no more processes"):
        checker.check_sweep(KEY, build_sweep(), build_recipe())

    assert isinstance(check(checker, checks, build_sweep(), build_recipe()), ValidatedSweep)


def test_a_finished_sweep_without_changes_is_not_checked(checker: Checker, checks: SlowChecks) -> None:
    finished = {
        "observedGeneration": 1,
        "completionTime": "2026-05-01T12:00:00Z",
        "plan": "a" * 64,
        "engineVersion": ENGINE_VERSION,
        "recipeDigest": build_recipe().spec.digest,
        "runs": {"total": 2},
    }
    validation = checker.check_sweep(KEY, build_sweep(status=finished), build_recipe())

    assert isinstance(validation, ValidatedSweep)
    assert (validation.plan, validation.runs) == ("a" * 64, 2)
    assert checks.waiting == []
    check(checker, checks, build_sweep(generation=2, status=finished), build_recipe())


def test_what_is_missing_is_found_without_a_check(checker: Checker, checks: SlowChecks) -> None:
    problem = checker.check_sweep(KEY, build_sweep(), None)

    assert isinstance(problem, Problem)
    assert problem.reason is Reason.RECIPE_NOT_FOUND
    assert checks.waiting == []


def test_a_sweep_that_is_being_deleted_is_not_checked(checker: Checker, checks: SlowChecks) -> None:
    sweep = build_sweep(deletionTimestamp="2026-05-01T12:00:00Z")

    assert isinstance(checker.check_sweep(KEY, sweep, build_recipe()), Problem)
    assert checks.waiting == []


def test_a_recipe_is_checked_once_per_version(checker: Checker, checks: SlowChecks, queued: list[ObjectKey]) -> None:
    with pytest.raises(CheckPendingError):
        checker.check_recipe(RECIPE_KEY, build_recipe())
    checks.end()

    assert queued == [RECIPE_KEY]
    assert checker.check_recipe(RECIPE_KEY, build_recipe()) is None
    assert checks.waiting == []


DATASET_KEY = ObjectKey(Resource.DATASETS, "lab", "d")


def build_dataset(generation: int = 1, where: str = "sead = 1", status: dict[str, Any] | None = None) -> DatasetObject:
    source = {"sweepRef": {"name": "s"}, "where": where}
    spec = {"version": "1", "sources": [source], "exports": [{"format": "coco"}]}
    return DatasetObject.from_json({"metadata": build_metadata("d", generation), "spec": spec, "status": status or {}})


def test_the_selection_of_a_dataset_is_checked_once_for_each_version_of_it_and_its_sweeps(
    checker: Checker, checks: SlowChecks, queued: list[ObjectKey]
) -> None:
    def check(dataset: DatasetObject, sweep: SweepObject) -> Problem | None:
        return checker.check_selection(DATASET_KEY, dataset, {"s": sweep}, {"r": build_recipe()})

    with pytest.raises(CheckPendingError):
        check(build_dataset(), build_sweep())
    checks.end()
    assert queued == [DATASET_KEY]
    problem = check(build_dataset(), build_sweep())
    assert problem is not None
    assert "spec.sources[0].where: there is no axis or column 'sead'; did you mean 'seed'?" in problem.message
    assert not checks.waiting

    fitting = build_dataset(2, "seed = 1")
    for sweep in (build_sweep(), build_sweep(2)):
        with pytest.raises(CheckPendingError):
            check(fitting, sweep)
        checks.end()
        assert check(fitting, sweep) is None


def test_no_selection_is_checked_before_its_sweeps_are_known_or_after_its_publication(
    checker: Checker, checks: SlowChecks
) -> None:
    sweeps, recipes = {"s": build_sweep()}, {"r": build_recipe()}
    drifted = build_sweep(status={"recipeDigest": "0" * 64})
    assert checker.check_selection(DATASET_KEY, build_dataset(), {}, recipes) is None
    assert checker.check_selection(DATASET_KEY, build_dataset(where=""), sweeps, recipes) is None
    assert checker.check_selection(DATASET_KEY, build_dataset(status={"version": "1"}), sweeps, recipes) is None
    assert checker.check_selection(DATASET_KEY, build_dataset(), {"s": drifted}, recipes) is None
    assert not checks.waiting
