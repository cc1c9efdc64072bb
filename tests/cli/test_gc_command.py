"""`synth gc` as a user meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from synth_api.errors import InputError
from synth_cli.commands.gc import parse_age

if TYPE_CHECKING:
    from conftest import Command


def test_what_no_dataset_refers_to_goes_and_the_dataset_stays(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    assert synth.render(1)[0] == 0
    assert len(list(synth.store.glob("manifests/*/*.json"))) == 2
    assert synth.run("gc", "dataset") == (0, "nothing to remove\n", "")
    code, out, _ = synth.run("gc", "dataset", "--older-than=0s", "--dry-run")
    assert code == 0
    assert out.startswith("would free ")
    gone = [line for line in out.splitlines() if line.startswith("manifests/")]
    assert len(gone) == 1
    assert (synth.store / gone[0]).exists()
    code, out, _ = synth.run("gc", "dataset", "--older-than=0s")
    assert code == 0
    assert out.startswith("freed ")
    assert not (synth.store / gone[0]).exists()
    assert len(list(synth.store.glob("manifests/*/*.json"))) == len(list(synth.store.glob("runs/*/*/*"))) == 1
    assert synth.render(1)[1].startswith("nothing to render: 1 run there already")


def test_beside_a_document_that_cannot_be_read_nothing_goes(synth: Command) -> None:
    assert synth.render(1)[0] == 0
    plan = next(synth.store.glob("sweeps/local/tiny/*/*/plan.json"))
    plan.write_text("{")
    before = sorted(synth.store.rglob("*"))
    code, out, error = synth.run("gc", "dataset", "--older-than=0s")
    assert (code, out, error.count("\n")) == (75, "", 1)
    assert str(plan.relative_to(synth.folder)) in error
    assert sorted(synth.store.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothere"], "nothere: is no folder; give the dataset folder that synth render wrote"),
        (["tiny.yaml"], "tiny.yaml: is no folder; give the dataset folder that synth render wrote"),
        ([".", "--older-than=soon"], "--older-than: 'soon' is no age; write for example 90m, 12h or 1d"),
    ],
)
def test_a_wrong_call_is_one_sentence(synth: Command, arguments: list[str], sentence: str) -> None:
    assert synth.run("gc", *arguments) == (2, "", f"error: {sentence}\n")


@pytest.mark.parametrize("age", ["99999999999d", "2000000d", "9" * 5000 + "s"])
def test_an_age_beyond_the_calendar_is_refused(age: str) -> None:
    with pytest.raises(InputError, match="reaches back before year 1; write for example 365d"):
        parse_age(age)
