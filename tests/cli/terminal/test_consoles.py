import pytest

from synth_cli.terminal.consoles import MIN_WIDTH, open_stdout
from synth_cli.terminal.formatting import format_count, format_duration, format_size, shorten


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (38.4, "38 s"),
        (59.6, "1 min 00 s"),
        (250, "4 min 10 s"),
        (7500, "2 h 05 min"),
        (274000, "3 d 4 h"),
    ],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_counts_have_thousands_and_their_plural() -> None:
    assert [format_count(1, "run"), format_count(0, "run"), format_count(1_000_000, "run")] == [
        "1 run",
        "0 runs",
        "1,000,000 runs",
    ]


def test_sizes_use_decimal_units() -> None:
    assert [format_size(812), format_size(3_400_000), format_size(2 * 10**15)] == ["812 B", "3.4 MB", "2000.0 TB"]


def test_long_values_are_cut_to_their_head() -> None:
    assert shorten([0, 0, -100]) == "[0, 0, -100]"
    assert shorten("x" * 100, width=10) == "x" * 9 + "…"


@pytest.mark.parametrize("columns", ["0", "1"])
def test_a_terminal_without_width_still_gets_its_text(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", columns)
    assert open_stdout().width == MIN_WIDTH
    monkeypatch.setenv("COLUMNS", "33")
    assert open_stdout().width == 33
