from typing import get_type_hints

import pytest
from pydantic import BaseModel

from synth_api.resources.synth_sweep import AttemptStatus, RunCounts, SweepStatus
from synth_operator.decide.status_updates import AttemptFields, RunCountFields, StatusFields, update_status


@pytest.mark.parametrize(
    ("fields", "model"), [(StatusFields, SweepStatus), (AttemptFields, AttemptStatus), (RunCountFields, RunCounts)]
)
def test_fields_have_the_types_of_their_model(fields: type, model: type[BaseModel]) -> None:
    assert get_type_hints(fields).items() <= get_type_hints(model).items()


def test_an_update_keeps_the_other_fields() -> None:
    before = SweepStatus(plan="p", runs=RunCounts(total=3))
    after = update_status(before, dataset="s3://bucket/dataset.json")
    assert (after.plan, after.runs, after.dataset) == ("p", before.runs, "s3://bucket/dataset.json")
    assert before.dataset == ""
