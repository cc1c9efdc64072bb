"""Termination messages: what a worker writes is read unchanged, and no text of anybody else is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_api.jobs.messages import (
    MAX_BYTES,
    POD_REASONS,
    BatchMessage,
    FinalizeMessage,
    PlanMessage,
    Problem,
    read_message,
    write_message,
)
from synth_api.reasons import FailureReason, Reason
from synth_api.resources.synth_sweep import RunFailure
from synth_api.sentences import MAX_CLAIM_CHARACTERS, MAX_NAME_CHARACTERS

BATCH = {"kind": "batch", "batch": 3, "size": 4}
PLAN = {"kind": "plan", "total": 12, "cached": 2, "todo": 10, "batchSize": 4, "batches": 3}
FINALIZE = {"kind": "finalize", "total": 12, "cached": 2, "succeeded": 9, "failed": 1, "missing": 0}
HOSTILE = "\x1b[31mred\x07 \u202eright to left\u2066 zero\u200bwidth\u3164blank\r\n\ud800"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)
NAMES = (
    *("kind", "batch", "size", "succeeded", "failed", "failures", "reasons", "seconds", "bytes", "problem", "total"),
    *("cached", "todo", "batches", "missing", "dataset", "run", "overrides", "reason", "message", "gpuSecondsUsed"),
)


def encode(message: dict[str, Any], /, **fields: Any) -> str:
    return json.dumps({**message, **fields})


def build_failure(**fields: Any) -> dict[str, Any]:
    return {"run": 14, "reason": "GateFailed", **fields}


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_makes_reading_raise(text: str) -> None:
    read_message(text)


@given(st.sampled_from([BATCH, PLAN, FINALIZE, {"kind": "delete"}]), st.dictionaries(st.sampled_from(NAMES), JSON))
def test_no_json_makes_reading_raise_and_what_is_read_can_be_written(
    message: dict[str, Any], fields: dict[str, Any]
) -> None:
    read = read_message(encode(message, **fields))

    if read is not None:
        assert read_message(write_message(read).decode()) == read


@given(JSON, st.text(), st.text())
def test_the_message_of_a_worker_is_always_read_as_it_was_written(value: Any, reason: str, text: str) -> None:
    failure = RunFailure(run=14, overrides={text: value, "seed": 1}, reason=reason, message=text)
    problem = Problem(reason=Reason.STORE_FULL, message=text)
    message = BatchMessage(batch=3, size=4, failed=1, failures=(failure,), reasons={reason: 1}, problem=problem)

    read = read_message(write_message(message).decode())

    assert isinstance(read, BatchMessage)
    assert (read.failed, read.reasons, read.problem) == (1, message.reasons, message.problem)
    assert read.failures in (message.failures, ())


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (BATCH, {"succeeded": 10**3000}),
        (BATCH, {"size": 10**9, "succeeded": 10**9}),
        (BATCH, {"bytes": 1 << 63}),
        (BATCH, {"batch": -1}),
        (BATCH, {"succeeded": 5}),
        (BATCH, {"succeeded": 3, "failed": 2}),
        (BATCH, {"succeeded": 1.5}),
        (BATCH, {"succeeded": True}),
        (BATCH, {"succeeded": "1"}),
        (BATCH, {"seconds": {"physics": 1e300}}),
        (BATCH, {"gpuSecondsUsed": float("nan")}),
        (BATCH, {"gpuSecondsLost": float("inf")}),
        (BATCH, {"gpuSecondsLost": -1.0}),
        (BATCH, {"gpuSecondsStartup": -1.0}),
        (BATCH, {"devices": ["a", "b", "c", "d", "e"]}),
        (BATCH, {"devices": [7]}),
        (BATCH, {"failed": 1, "reasons": {"GateFailed": 40}}),
        (BATCH, {"failed": 1, "failures": [build_failure(), build_failure(run=15)]}),
        (BATCH, {"failed": 2, "failures": [build_failure(), build_failure()]}),
        (BATCH, {"failed": 1, "failures": [build_failure(run=1_000_000)]}),
        (BATCH, {"problem": {"reason": "Complete", "message": "done"}}),
        (BATCH, {"problem": {"reason": "Wonderful", "message": "done"}}),
        (BATCH, {"unknown": 1}),
        (PLAN, {"total": 13}),
        (PLAN, {"batches": 4}),
        (PLAN, {"batchSize": 1001}),
        (PLAN, {"total": 10**7, "todo": 10**7 - 2, "batchSize": 100, "batches": 10**5}),
        (FINALIZE, {"missing": 1}),
        (FINALIZE, {"reasons": {"GateFailed": 2}}),
        (FINALIZE, {"dataset": "s3://bucket/\x1b[2J"}),
        (FINALIZE, {"dataset": "s3://bucket/\u202egnp.exe"}),
    ],
)
def test_a_message_whose_numbers_do_not_fit_is_not_read(message: dict[str, Any], fields: dict[str, Any]) -> None:
    assert read_message(encode(message)) is not None
    assert read_message(encode(message, **fields)) is None


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "[" * 4000, '{"a":' * 700, encode(BATCH) + " " * MAX_BYTES, "\ud800"]
)
def test_a_text_of_another_form_is_not_read(text: str) -> None:
    assert read_message(text) is None


def test_texts_become_one_printable_line_of_four_hundred_characters() -> None:
    failure = build_failure(message=HOSTILE[:-1] + "x" * 900, overrides={HOSTILE[:-1]: [{"deep": HOSTILE[:-1]}]})
    problem = {"reason": "StoreFull", "message": HOSTILE[:-1] + "x" * 900}
    read = read_message(encode(BATCH, failed=1, failures=[failure], problem=problem, seconds={HOSTILE[:-1]: 1.0}))

    assert isinstance(read, BatchMessage)
    assert read.problem
    line = "[31mred right to left zero width blank"
    assert read.failures[0].overrides == {line: [{"deep": line}]}
    assert list(read.seconds) == [line]
    for text in (read.failures[0].message, read.problem.message):
        assert text.startswith(f"{line} xxx")
        assert text.isprintable()
        assert len(text) == MAX_CLAIM_CHARACTERS


def test_names_of_gpus_are_short_and_clean() -> None:
    read = read_message(encode(BATCH, devices=["NVIDIA H200 (sm_90), CUDA", HOSTILE[:-1] + "x" * 900]))

    assert isinstance(read, BatchMessage)
    assert read.devices[0] == "NVIDIA H200 (sm_90), CUDA"
    assert read.devices[1].startswith("[31mred right to left zero width blank xxx")
    assert len(read.devices[1]) == MAX_NAME_CHARACTERS


def test_values_that_a_status_cannot_hold_become_text() -> None:
    nested: Any = "leaf"
    for _ in range(100):
        nested = [nested]
    failure = RunFailure(run=1, reason="RunFailed", overrides={"big": 1 << 63, "odd": float("nan"), "deep": nested})

    assert failure.overrides["big"] == "0x8000000000000000"
    assert failure.overrides["odd"] == "nan"
    assert json.dumps(failure.overrides["deep"], ensure_ascii=False).count("[") == 7


def test_a_reason_of_another_release_is_an_engine_failure() -> None:
    read = read_message(
        encode(
            BATCH, failed=2, failures=[build_failure(reason="MeltedDown")], reasons={"MeltedDown": 1, "EngineFailed": 1}
        )
    )

    assert isinstance(read, BatchMessage)
    assert read.failures[0].reason == FailureReason.ENGINE_FAILED
    assert read.reasons == {"EngineFailed": 2}


def test_every_reason_of_a_store_can_be_reported() -> None:
    for reason in POD_REASONS:
        assert PlanMessage(problem=Problem(reason=reason, message="x")).problem


def test_a_dataset_at_the_longest_place_fits() -> None:
    uri = f"s3://{'b' * 63}/{'p' * 512}/sweeps/{'n' * 63}/{'s' * 40}/dataset.json"

    assert FinalizeMessage(dataset=uri).dataset == uri
