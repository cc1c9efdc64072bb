"""Where the default output puts each namespace."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from synth_api.problems import convert_validation_error
from synth_api.resources.default_output import DefaultOutput
from synth_api.resources.output import Output, SecretRef

PLACE = {"endpoint": "minio:9000", "bucket": "data", "secretRef": {"name": "store"}}


def build_default(**changes: object) -> DefaultOutput:
    return DefaultOutput.model_validate({**PLACE, **changes})


@pytest.mark.parametrize(("prefix", "folder"), [("", "lab-a"), ("team/sets", "team/sets/lab-a")])
def test_each_namespace_has_a_folder(prefix: str, folder: str) -> None:
    expected = Output(endpoint="minio:9000", bucket="data", prefix=folder, secret_ref=SecretRef(name="store"))
    assert build_default(prefix=prefix).select("lab-a") == expected


@pytest.mark.parametrize("prefix", ["", "team"])
def test_namespaces_share_the_prefix_only_by_name(prefix: str) -> None:
    default = build_default(prefix=prefix, sharedBy=["lab-a", "lab-b"])
    places = [default.select(namespace) for namespace in ("lab-a", "lab-b", "lab-c")]
    assert [place and place.prefix for place in places] == [prefix, prefix, f"{prefix}/lab-c".lstrip("/")]


@pytest.mark.parametrize("namespace", ["runs", "manifests", "sweeps", "scratch"])
def test_a_namespace_called_like_a_folder_of_the_shared_store_has_no_default(namespace: str) -> None:
    assert build_default(sharedBy=["lab-a"]).select(namespace) is None


def test_the_longest_prefix_leaves_room_for_a_namespace() -> None:
    longest = build_default(prefix="p" * 448).select("n" * 63)
    assert longest is not None
    assert len(longest.prefix) == 512
    with pytest.raises(ValidationError) as refused:
        build_default(prefix="p" * 449)
    assert "448" in str(convert_validation_error(refused.value))
