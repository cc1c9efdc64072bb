"""A batch's document: the in-flight mark, and what counts against a run."""

import json

import pytest

from synth_api.jobs.messages import MAX_BYTES, Problem, read_message, write_message
from synth_api.reasons import Reason
from synth_dataset.documents.batch_document import BatchDocument, RunUsage, Suspect
from synth_dataset.documents.failed_run import FailedRun

FRESH = BatchDocument(batch=3, size=4)
USAGE = RunUsage(seconds={"physics": 1.5, "real": 2.0}, gpu_seconds=4.0, bytes=100)


def failed_run(number: int, message: str = "the mean colour inside the masks fits no particle") -> FailedRun:
    return FailedRun(number=number, overrides={"seed": number}, reason="GateFailed", message=message)


def test_the_mark_of_a_run_is_written_as_run_and_try() -> None:
    document = FRESH.mark_in_flight(17)

    assert b'"run": 17,\n   "try": 1' in document.to_json()
    assert BatchDocument.model_validate_json(document.to_json()) == document


def list_tries(document: BatchDocument) -> dict[int, int]:
    return {mark.run: mark.attempts for mark in document.in_flight}


def test_each_pod_that_a_run_ended_alone_raises_its_try() -> None:
    document = FRESH
    for number in (1, 2, 3):
        document = document.take_over().mark_in_flight(17)
        assert list_tries(document) == {17: number}


def test_the_death_of_a_pod_with_several_runs_counts_against_none_and_makes_all_suspects() -> None:
    opened = FRESH.mark_in_flight(17).mark_in_flight(18).take_over()

    assert opened.in_flight == ()
    assert opened.suspects == (Suspect(run=17, deaths=0), Suspect(run=18, deaths=0))
    assert list_tries(opened.mark_in_flight(17)) == {17: 1}
    assert opened.mark_in_flight(17).suspects == (Suspect(run=18, deaths=0),)


def test_deaths_of_its_worker_count_in_the_next_pod() -> None:
    died = FRESH.mark_in_flight(17).mark_in_flight(18).add_death(17, 1, USAGE)

    assert list_tries(died) == {18: 1}
    assert died.gpu_seconds_lost == 4.0
    assert list_tries(died.take_over().mark_in_flight(17)) == {17: 2}


def test_the_next_run_begins_with_its_first_try() -> None:
    second_try = FRESH.mark_in_flight(17).take_over().mark_in_flight(17)

    assert list_tries(second_try.add_success(17, 0, USAGE).mark_in_flight(18)) == {18: 1}


def test_a_run_that_ended_too_many_workers_is_recorded_failed() -> None:
    suspect = Suspect(run=17, deaths=3)

    failed = FRESH.model_copy(update={"suspects": (suspect,)}).fail_suspect(suspect, 2, {"seed": 9})

    assert (failed.in_flight, failed.suspects, failed.ended_runs, failed.ended) == ((), (), 1, ((2, 3),))
    assert failed.failures[0].number == 17
    assert failed.failures[0].overrides == {"seed": 9}
    assert failed.failures[0].reason == "WorkerDied"
    assert "in each of 3 tries" in failed.failures[0].message


def test_sigterm_does_not_count_as_a_try_of_the_run_and_forgets_none() -> None:
    stopped = FRESH.mark_in_flight(17).clear_mark(17, USAGE)

    assert (stopped.in_flight, stopped.suspects, stopped.ended_runs) == ((), (), 0)
    assert list_tries(stopped.mark_in_flight(17)) == {17: 1}
    assert stopped.gpu_seconds_lost == 4.0
    second_try = FRESH.mark_in_flight(17).take_over().mark_in_flight(17)
    assert list_tries(second_try.clear_mark(17, USAGE).take_over().mark_in_flight(17)) == {17: 2}


def test_start_ups_of_all_pods_are_summed_and_each_kind_of_gpu_is_named_once() -> None:
    h200 = "NVIDIA H200 (sm_90), CUDA"
    document = FRESH.add_startup("", 10.0).add_startup(h200, 2.5).add_startup(h200, 3.0)

    message = document.to_message(engine_version=1)
    assert (message.devices, message.gpu_seconds_startup) == ((h200,), 15.5)
    assert (message.gpu_seconds_used, message.gpu_seconds_lost, message.seconds) == (0.0, 0.0, {})
    for number in range(9):
        document = document.add_startup(f"GPU {number}", 0.0)
    assert document.devices == (h200, "GPU 0", "GPU 1", "GPU 2")
    assert read_message(write_message(document.to_message(1)).decode()) == document.to_message(1)


def test_runs_end_in_any_order() -> None:
    document = FRESH.add_success(5, 3, USAGE).add_failure(failed_run(4), 0, USAGE)

    assert document.ended == ((0, 1), (3, 4))
    assert document.list_open_positions() == [1, 2]
    assert document.add_success(6, 1, USAGE).add_success(7, 2, USAGE).ended == ((0, 4),)


@pytest.mark.parametrize(("mark", "taken_over"), [({"run": 17, "try": 2}, (Suspect(run=17, deaths=2),)), (None, ())])
def test_a_document_of_a_release_that_rendered_one_run_at_a_time_is_read(
    mark: dict[str, int] | None, taken_over: tuple[Suspect, ...]
) -> None:
    failure = failed_run(9).model_dump()
    text = json.dumps({"batch": 3, "size": 4, "in_flight": mark, "succeeded": 1, "failures": [failure], "bytes": 5})

    document = BatchDocument.model_validate_json(text)

    assert document.list_open_positions() == [2, 3]
    assert document.take_over().suspects == taken_over
    assert BatchDocument.model_validate_json(document.to_json()) == document


def test_the_message_is_the_batch_so_far() -> None:
    document = FRESH.add_success(0, 0, USAGE).add_failure(failed_run(1), 1, USAGE).add_success(2, 2, USAGE)

    message = document.to_message(engine_version=1)

    assert (message.batch, message.size, message.succeeded, message.failed) == (3, 4, 2, 1)
    assert message.reasons == {"GateFailed": 1}
    assert message.seconds == {"physics": 4.5, "real": 6.0}
    assert (message.gpu_seconds_used, message.gpu_seconds_lost, message.bytes) == (8.0, 4.0, 300)
    assert read_message(write_message(message).decode()) == message


def test_a_message_always_fits_and_always_counts_all_failures() -> None:
    document = BatchDocument(batch=0, size=100)
    for number in range(100):
        document = document.add_failure(failed_run(number, "x" * 3000), number, USAGE)

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
