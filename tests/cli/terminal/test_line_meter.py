from io import StringIO

from rich.console import Console

from synth_cli.terminal.progress import LineMeter


def test_the_first_and_the_last_run_have_a_line_and_none_between_within_ten_seconds() -> None:
    output = StringIO()
    with LineMeter(Console(file=output, width=200), "rendered", 4, "run") as meter:
        for _ in range(4):
            meter.advance()
    lines = output.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == ["rendered 1 of 4 runs", "rendered 4 of 4 runs"]


def test_work_of_less_than_the_quiet_time_has_no_line() -> None:
    output = StringIO()
    with LineMeter(Console(file=output, width=200), "rendered", 2, "run", quiet_seconds=3600.0) as meter:
        meter.advance(2)
    assert output.getvalue() == ""
