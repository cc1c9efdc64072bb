from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from smallest_recipe import SMALLEST_RECIPE
from waiting import wait_until

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import compute_run_key
from synth_renderer.runtime.pool import Pool, RunEnded
from synth_renderer.runtime.protocol import RunReport, RunTask
from synth_renderer.runtime.stop_requests import StopRequests
from synth_renderer.runtime.worker_handle import WorkerCommand

SMALLEST_TREE = build_canonical_tree(parse_recipe({**SMALLEST_RECIPE, "initial_runtime_state": {"seed": 0}}))
HERE = Path(__file__).parent


@dataclass
class Trial:
    """A store, and the orders for the engine: what happens at which seed."""

    store: Path
    orders: Path
    wish: StopRequests = field(default_factory=StopRequests)

    def order(self, seed: int, what: str) -> None:
        (self.orders / str(seed)).write_text(what)

    def task(self, seed: int) -> RunTask:
        recipe = parse_recipe({**SMALLEST_RECIPE, "initial_runtime_state": {"seed": seed}})
        overrides = {"initial_runtime_state.seed": seed}
        return RunTask(
            number=seed,
            key=compute_run_key(recipe),
            overrides=overrides,
            recipe=build_canonical_tree(recipe),
            base=SMALLEST_TREE,
        )

    def pool(
        self,
        size: int = 1,
        engine: str = "trial_engine:render",
        watermark: int = 1 << 40,
        log: Path | None = None,
    ) -> Pool:
        arguments = (
            f"--store={self.store}",
            "--device=cpu",
            f"--engine={engine}",
            f"--watermark={watermark}",
        )
        path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
        environment = {"PYTHONPATH": path, "TRIAL": str(self.orders)}
        command = WorkerCommand(arguments, self.orders, log or self.orders / "worker.log", environment)
        return Pool(command, size, self.wish)

    def reports(self, seeds: range, pool: Pool) -> dict[int, RunReport]:
        events = pool.events(self.task(seed) for seed in seeds)
        return {event.task.number: event.report for event in events if isinstance(event, RunEnded)}

    def scratch(self) -> list[Path]:
        """What unfinished runs have left in the store."""
        return [path for path in self.store.rglob("picture.txt") if "runs" not in path.relative_to(self.store).parts]

    def renderers(self, seed: int) -> list[str]:
        """Process ids of the workers that tried this seed, in order."""
        log = self.orders / f"{seed}.log"
        return log.read_text().split() if log.exists() else []

    def wait_for_files(self, seed: int) -> None:
        """Return once a worker has written the files of this seed and does what was ordered."""
        wait_until((self.orders / f"{seed}.rendered").exists, f"no worker renders seed {seed}")


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path / "store", tmp_path / "orders")
    trial.store.mkdir()
    trial.orders.mkdir()
    yield trial
    trial.wish.close()
