import pytest

from synth_api.resources.synth_sweep import SweepSpec
from synth_operator.decide.limits import check_failure_limit, compute_failure_limit


@pytest.mark.parametrize(("written", "limit"), [(0, 0), (7, 7), ("0%", 0), ("5%", 9), ("1%", 1), ("100%", 180)])
def test_the_limit_is_a_count_or_a_percentage_rounded_down(written: int | str, limit: int) -> None:
    assert compute_failure_limit(SweepSpec(max_failed_runs=written), 180) == limit


def test_the_limit_itself_is_allowed() -> None:
    spec = SweepSpec(max_failed_runs=3)

    assert check_failure_limit(spec, 3, 180) is None
    verdict = check_failure_limit(spec, 4, 180)
    assert verdict
    assert verdict.message == "4 runs of 180 failed; maxFailedRuns allows 3."
