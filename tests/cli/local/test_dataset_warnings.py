"""What the command says of a dataset that is committed and still not what somebody may expect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from synth_cli.commands.gallery import rewrite_gallery
from synth_cli.local.dataset_warnings import list_warnings
from synth_dataset.attempts import dataset_commit as finalize
from synth_dataset.documents.dataset_document import DatasetDocument

if TYPE_CHECKING:
    from conftest import Command

NOTHING_VISIBLE = (
    "warning: no particle is visible in the dataset's {}; "
    "check how many particles the recipe has, how large they are and where they lie"
)
LEFT_OUT = "coco.json holds the first {} of {}; the gallery and index.parquet have all of them"


def dataset(runs: int, views: int, visible: int | None) -> DatasetDocument:
    return DatasetDocument(
        name="beads",
        namespace="local",
        plan="0" * 64,
        attempt="1" * 64,
        folder="sweeps/local/beads/00000000/11111111",
        total=runs,
        cached=0,
        succeeded=runs,
        failed=0,
        missing=0,
        failures=(),
        files=(),
        views=views,
        views_truncated=runs > views,
        visible=visible,
        created=datetime(2030, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("runs", "views", "visible", "said"),
    [
        (3, 3, 1, []),
        (3, 3, None, []),
        (0, 0, 0, []),
        (1, 1, 0, [NOTHING_VISIBLE.format("1 run")]),
        (2100, 2000, 7, [LEFT_OUT.format("2,000", "2,100 runs")]),
        (2001, 2000, 0, [LEFT_OUT.format("2,000", "2,001 runs"), NOTHING_VISIBLE.format("2,001 runs")]),
    ],
)
def test_a_sentence_for_each_thing_that_is_missing(runs: int, views: int, visible: int | None, said: list[str]) -> None:
    assert list(list_warnings(dataset(runs, views, visible))) == said


def test_render_and_gallery_print_warnings_on_stderr_and_succeed(
    synth: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, error = synth.render(2)
    assert code == 0
    assert NOTHING_VISIBLE.format("2 runs") in error.splitlines()
    assert "warning" not in out
    monkeypatch.setattr(finalize, "MAX_VIEWED_RUNS", 1)
    rewrite_gallery(synth.store, None)
    out, error = capfd.readouterr()
    assert error.splitlines() == [LEFT_OUT.format(1, "2 runs"), NOTHING_VISIBLE.format("2 runs")]
    assert out.endswith("index.html\n")
