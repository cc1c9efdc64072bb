import json
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "random-streams.md"


@pytest.fixture
def vectors() -> dict[str, list]:
    """The vectors as docs/random-streams.md publishes them."""
    return json.loads(PAGE.read_text().split("```json")[1].split("```")[0])
