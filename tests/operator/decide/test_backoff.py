from datetime import UTC, datetime, timedelta

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.decide.backoff import compute_next_try

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def waiting(reason: Reason) -> SweepStatus:
    ready = Condition(type=ConditionType.READY, status="False", reason=reason, last_transition_time=NOON)
    return SweepStatus(phase=Phase.WAITING, waiting_since=NOON, conditions=(ready,))


def seconds(status: SweepStatus, after: int) -> float:
    failed = NOON + timedelta(seconds=after)
    return (compute_next_try(status, Reason.STORE_UNREACHABLE, failed) - failed).total_seconds()


def test_the_first_try_comes_after_five_seconds() -> None:
    assert seconds(SweepStatus(), 0) == 5


def test_delays_double_up_to_ten_minutes() -> None:
    status = waiting(Reason.STORE_UNREACHABLE)

    assert [seconds(status, after) for after in (5, 10, 20, 300, 600, 9000)] == [5, 10, 20, 300, 600, 600]


def test_another_reason_resets_the_backoff() -> None:
    assert seconds(waiting(Reason.UNSCHEDULABLE), 9000) == 5
