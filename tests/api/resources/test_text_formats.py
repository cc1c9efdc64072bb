"""What an output's endpoint, bucket, prefix and region may be, in words that name the field and the value."""

from __future__ import annotations

import pytest
from output_values import RIGHT, WRONG
from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.jobs.attempt_input import AttemptInput
from synth_api.problems import convert_validation_error
from synth_api.resources.output import Output
from synth_api.resources.text_formats import check_endpoint

LEAST = {"endpoint": "minio:9000", "bucket": "data"}


def cases(values: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(field, value) for field, given in values.items() for value in given]


@pytest.mark.parametrize(("field", "value"), cases(RIGHT))
def test_valid_outputs_are_accepted(field: str, value: str) -> None:
    assert getattr(Output.model_validate(LEAST | {field: value}), field) == value


@pytest.mark.parametrize(("field", "value"), cases(WRONG))
def test_invalid_outputs_are_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Output.model_validate(LEAST | {field: value})
    problem = convert_validation_error(caught.value)
    assert problem.path == field
    assert problem.problem.startswith("must be ")
    assert f", not '{value[:70]}" in problem.problem


def test_the_message_of_each_format() -> None:
    with pytest.raises(InputError) as caught:
        check_endpoint("h:99999")
    assert str(caught.value) == (
        "must be the host of a store without a scheme, with a port from 1 to 65535 unless it is the usual one, such as "
        "minio.store.svc:9000, 10.0.0.7:9000 or [2001:db8::7]:9000, not 'h:99999'"
    )


def test_a_password_in_an_endpoint_is_not_repeated() -> None:
    with pytest.raises(InputError, match=r"not '\*\*\*@minio:9000'$"):
        check_endpoint("user:secret@minio:9000")


def test_an_attempt_with_a_wrong_address_is_refused_with_the_same_message(tmp_path) -> None:
    file = tmp_path / "attempt.json"
    given = AttemptInput.model_construct(
        namespace="lab",
        name="s",
        recipe_name="r",
        recipe={},
        output=Output.model_construct(endpoint="h:abc", bucket="data"),
        parallelism=1,
        engine_version=1,
        plan="a",
        attempt="b",
    )
    file.write_text(given.model_dump_json())
    with pytest.raises(
        InputError, match=r"attempt.json: is not an attempt of this release: output.endpoint: must be the host"
    ):
        AttemptInput.read(file)
