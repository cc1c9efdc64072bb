"""Each way in which a store can refuse has one reason and one sentence, and no credential in it."""

from __future__ import annotations

import os

import pytest
from minio.error import InvalidResponseError, ServerError
from servers import ACCESS_KEY, SECRET_KEY

from synth_api.reasons import Reason
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_problems import explain_code, explain_error
from synth_dataset.store.s3_store import S3Store

ACCESS, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


@pytest.fixture(params=["minio", "seaweed"])
def server(request):
    return request.getfixturevalue(request.param)


def problem(output, environment) -> StoreError:
    with pytest.raises(StoreError) as caught:
        S3Store(output, environment=environment).check()
    return caught.value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {SECRET: "wrong-secret"},
            "(SignatureDoesNotMatch): the secret key does not fit the access key; correct AWS_S",
        ),
        ({ACCESS: "wrong-key"}, "(InvalidAccessKeyId): it knows no such access key; correct AWS_ACCESS_KEY_ID"),
        ({SECRET: ""}, "have AWS_ACCESS_KEY_ID but no AWS_SECRET_ACCESS_KEY; add it to the Secret"),
        ({ACCESS: ""}, "have AWS_SECRET_ACCESS_KEY but no AWS_ACCESS_KEY_ID; add it to the Secret"),
    ],
)
def test_wrong_credentials(server, output_in, credentials, changes, words):
    environment = {**credentials(server), **changes}
    error = problem(output_in(server), environment)
    assert error.reason == Reason.ACCESS_DENIED
    assert not error.is_passing
    assert words in str(error)
    assert not any(value and value in str(error) for value in environment.values())


@pytest.mark.parametrize("has_home", [True, False])
def test_no_credentials_at_all(server, output_in, monkeypatch, tmp_path, has_home):
    monkeypatch.setenv("HOME", str(tmp_path))
    if not has_home:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(os, "getuid", lambda: 2**31)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    error = problem(output_in(server), {})
    assert error.reason == Reason.ACCESS_DENIED
    remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; on a cluster name a Secret with them in output.secretRef"
    assert remedy in str(error)


def test_the_clients_own_chain_finds_a_credentials_file(server, output_in, monkeypatch, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        f"[default]\naws_access_key_id={server.access_key}\naws_secret_access_key={server.secret_key}\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    S3Store(output_in(server, "chain"), environment={}).check()


def test_a_bucket_that_is_not_there_is_not_made(server, output_in):
    output = output_in(server, bucket="elsewhere")
    administrator = {ACCESS: ACCESS_KEY, SECRET: SECRET_KEY}  # a policy for another bucket denies access
    for _ in range(2):
        error = problem(output, administrator)
        assert error.reason == Reason.BUCKET_NOT_FOUND
        assert str(error).endswith("has no bucket 'elsewhere'; create it or correct output.bucket")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endpoint": "127.0.0.1:1"}, "(connection refused); check output.endpoint and whether the store runs"),
        ({"endpoint": "no-such-host.invalid:9000"}, "(no such host); check output.endpoint"),
        ({"insecure": False}, "(it does not speak HTTPS; set output.insecure if it speaks plain HTTP)"),
    ],
)
def test_an_endpoint_that_is_no_store(server, output_in, credentials, changes, words):
    error = problem(output_in(server).model_copy(update=changes), credentials(server))
    assert error.reason == Reason.STORE_UNREACHABLE
    assert error.is_passing
    assert words in str(error)


def test_a_check_leaves_nothing(server, output_in, credentials):
    store = S3Store(output_in(server, "checked"), environment=credentials(server))
    store.check()
    assert list(store.iterate_files("scratch")) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("XMinioStorageFull", Reason.STORE_FULL),
        ("QuotaExceeded", Reason.STORE_FULL),
        ("AccessDenied", Reason.ACCESS_DENIED),
        ("ExpiredToken", Reason.ACCESS_DENIED),
        ("SlowDown", Reason.STORE_UNREACHABLE),
        ("NobodyKnows", Reason.STORE_UNREACHABLE),
    ],
)
def test_every_code_has_a_reason(minio, output_in, code, reason):
    error = explain_code(code, output_in(minio))
    assert error.reason == reason
    assert error.is_passing == (reason != Reason.ACCESS_DENIED)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidResponseError(408, "text/plain", None), "(it answers with HTTP status 408)"),
        (InvalidResponseError(429, "text/plain", None), "(it answers with HTTP status 429)"),
        (
            InvalidResponseError(404, "text/html", None),
            "(the server that answers with HTTP status 404 is not an S3 store",
        ),
        (ServerError("bad gateway", 502), "(it answers with HTTP status 502)"),
    ],
)
def test_a_status_without_an_error_code_is_named(minio, output_in, error, words):
    problem = explain_error(error, output_in(minio))
    assert problem.reason == Reason.STORE_UNREACHABLE
    assert words in str(problem)
