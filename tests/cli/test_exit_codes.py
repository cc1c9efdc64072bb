from pathlib import Path

from synth_api.exit_codes import MEANINGS, ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_every_code_has_a_meaning_and_is_documented_with_it() -> None:
    text = PAGE.read_text()
    assert set(MEANINGS) == set(ExitCode)
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in text
