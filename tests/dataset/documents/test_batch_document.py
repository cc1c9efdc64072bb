"""A batch's document: the in-flight mark, and what counts against a run."""

from synth_api.jobs.messages import MAX_BYTES, Problem, read_message, write_message
from synth_api.reasons import Reason
from synth_dataset.documents.batch_document import BatchDocument, RunUsage
from synth_dataset.documents.failed_run import FailedRun

FRESH = BatchDocument(batch=3, size=4)
USAGE = RunUsage(seconds={"physics": 1.5, "real": 2.0}, gpu_seconds=4.0, bytes=100)


def failed_run(number: int, message: str = "the mean colour inside the masks fits no particle") -> FailedRun:
    return FailedRun(number=number, overrides={"seed": number}, reason="GateFailed", message=message)


def test_the_mark_of_a_run_is_written_as_run_and_try() -> None:
    document = FRESH.mark_in_flight(17)

    assert b'"run": 17,\n  "try": 1' in document.to_json()
    assert BatchDocument.model_validate_json(document.to_json()) == document


def test_each_worker_that_finds_the_mark_raises_the_try() -> None:
    assert FRESH.mark_in_flight(17).mark_in_flight(17).mark_in_flight(17).in_flight.attempts == 3  # type: ignore[union-attr]


def test_the_next_run_begins_with_its_first_try() -> None:
    assert FRESH.mark_in_flight(17).mark_in_flight(17).add_success(USAGE).mark_in_flight(18).in_flight.attempts == 1  # type: ignore[union-attr]


def test_a_run_found_in_flight_more_often_than_its_retries_is_recorded_failed_and_skipped() -> None:
    third_try = FRESH.mark_in_flight(17).mark_in_flight(17).mark_in_flight(17)

    assert third_try.fail_repeated_crash(3, {"seed": 9}) == third_try
    opened = third_try.fail_repeated_crash(2, {"seed": 9})

    assert opened.in_flight is None
    assert opened.ended_runs == 1
    assert opened.failures[0].number == 17
    assert opened.failures[0].overrides == {"seed": 9}
    assert opened.failures[0].reason == "WorkerDied"
    assert "in each of 3 tries" in opened.failures[0].message


def test_sigterm_does_not_count_as_a_try_of_the_run() -> None:
    stopped = FRESH.mark_in_flight(17).mark_in_flight(17).clear_mark(USAGE)

    assert stopped.in_flight is None
    assert stopped.ended_runs == 0
    assert stopped.mark_in_flight(17).in_flight.attempts == 1  # type: ignore[union-attr]
    assert stopped.gpu_seconds_lost == 4.0


def test_the_message_is_the_batch_so_far() -> None:
    document = FRESH.add_success(USAGE).add_failure(failed_run(1), USAGE).add_success(USAGE)

    message = document.to_message(engine_version=1)

    assert (message.batch, message.size, message.succeeded, message.failed) == (3, 4, 2, 1)
    assert message.reasons == {"GateFailed": 1}
    assert message.seconds == {"physics": 4.5, "real": 6.0}
    assert (message.gpu_seconds_used, message.gpu_seconds_lost, message.bytes) == (8.0, 4.0, 300)
    assert read_message(write_message(message).decode()) == message


def test_a_message_always_fits_and_always_counts_all_failures() -> None:
    document = BatchDocument(batch=0, size=100)
    for number in range(100):
        document = document.add_failure(failed_run(number, "x" * 3000), USAGE)

    text = write_message(document.to_message(1, Problem(reason=Reason.STORE_UNREACHABLE, message="no answer")))
    message = read_message(text.decode())

    assert len(text) <= MAX_BYTES
    assert message is not None
    assert message.kind == "batch"
    assert message.failed == 100
    assert 0 < len(message.failures) < 100
    assert message.failures[0].message.endswith("…")
    assert message.problem is not None


def test_a_text_that_is_no_message_is_none() -> None:
    assert read_message("") is None
    assert read_message('{"kind": "batch"') is None
