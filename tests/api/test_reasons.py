import json
import pickle

import pytest
from pydantic import TypeAdapter

from synth_api.reasons import FailureReason, Reason, find_failure_reason

ALL = [*Reason, *FailureReason]


def test_no_code_belongs_to_two_reasons() -> None:
    assert len({reason.value for reason in ALL}) == len(ALL)


@pytest.mark.parametrize("reason", ALL, ids=str)
def test_the_code_is_one_word_and_the_remedy_one_sentence(reason: Reason | FailureReason) -> None:
    assert reason.value.isalpha()
    assert reason.remedy.endswith(".")
    assert ". " not in reason.remedy
    assert reason.remedy.count("`") % 2 == 0


@pytest.mark.parametrize("reason", ALL, ids=str)
def test_only_progress_needs_no_action(reason: Reason | FailureReason) -> None:
    needs_no_action = reason.remedy.startswith("No action needed")
    assert reason.retry_helps is not None or needs_no_action or reason is Reason.SUSPENDED


def test_every_failure_reason_says_if_a_retry_helps() -> None:
    assert [reason for reason in FailureReason if reason.retry_helps is None] == []


def test_a_reason_is_its_code_wherever_it_is_written() -> None:
    assert json.dumps({"reason": Reason.STORE_FULL}) == '{"reason": "StoreFull"}'
    assert TypeAdapter(Reason).dump_json(Reason.STORE_FULL) == b'"StoreFull"'
    assert TypeAdapter(Reason).validate_json('"StoreFull"') is Reason.STORE_FULL
    assert pickle.loads(pickle.dumps(Reason.STORE_FULL)) is Reason.STORE_FULL
    assert f"{Reason.STORE_FULL}" == str(Reason.STORE_FULL) == Reason.STORE_FULL.value == "StoreFull"


def test_a_code_of_another_release_is_no_failure_reason() -> None:
    assert find_failure_reason("GateFailed") is FailureReason.GATE_FAILED
    assert find_failure_reason("WordOfTomorrow") is None
