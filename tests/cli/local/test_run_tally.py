from io import StringIO

from rich.console import Console

from synth_cli.local.run_tally import MAX_LISTED_FAILURES, Tally, format_overrides, print_summary
from synth_renderer.runtime.protocol import RunReport, RunTask

OVERRIDES = {"blueprints.particles.Bead.number": 100, "synth_chain.feature_generation_steps.5.gravity.2": -100}


def task(number: int) -> RunTask:
    return RunTask(number=number, key="", overrides=OVERRIDES, recipe={}, base={})


def build_failure(number: int) -> RunReport:
    return RunReport(number=number, outcome="failed", reason="EngineFailed", message="ValueError: no")


def format_tally(tally: Tally) -> list[str]:
    text = StringIO()
    print_summary(tally, 12.3, Console(file=text, width=120))
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_the_summary_counts_runs_by_outcome() -> None:
    tally = Tally(cached=3)
    tally.add(task(0), RunReport(number=0, outcome="succeeded", seconds=2.0))
    tally.add(task(1), RunReport(number=1, outcome="present"))
    tally.add(task(2), RunReport(number=2, outcome="dropped"))
    assert format_tally(tally) == ["2 runs rendered in 12 s, 3 cached, 1 dropped"]


def test_without_a_run_to_render_the_summary_is_one_line() -> None:
    assert format_tally(Tally(cached=3)) == ["nothing to render: 3 runs cached"]


def test_failed_runs_are_listed_with_overrides_and_reason_in_order() -> None:
    tally = Tally(cached=0)
    for number in (5, 2):
        tally.add(task(number), build_failure(number))
    assert format_tally(tally) == [
        "0 runs rendered in 12 s, 2 failed",
        "",
        "run 2   number=100 gravity.2=-100",
        "        EngineFailed: ValueError: no",
        "run 5   number=100 gravity.2=-100",
        "        EngineFailed: ValueError: no",
    ]


def test_of_many_failed_runs_the_first_are_listed() -> None:
    tally = Tally(cached=0)
    for number in range(MAX_LISTED_FAILURES + 2):
        tally.add(task(number), build_failure(number))
    assert format_tally(tally)[-1] == "and 2 more failed runs"


def test_overrides_are_named_by_the_end_of_their_path() -> None:
    assert format_overrides(OVERRIDES) == "number=100 gravity.2=-100"
