"""Credentials of many shapes, put through every failure of a store that can be provoked: no message holds them."""

from __future__ import annotations

import json
import threading
import traceback
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth_api import redaction
from synth_api.jobs.attempt_input import AttemptInput
from synth_api.jobs.messages import PlanMessage, read_message
from synth_api.reasons import Reason
from synth_api.resources.output import Output, SecretRef
from synth_api.sentences import describe_traceback
from synth_dataset.jobs.job_process import Job, run
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_store import S3Store

ACCESS, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
GOOD = {ACCESS: "AKIAEXAMPLE0000", SECRET: "a/secret+example="}


class EchoHandler(BaseHTTPRequestHandler):
    """Answers with what it was asked, as the first part of the path says: a store or proxy that talks too much."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        access = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/20")[0]
        said = f"you are {access} with {self.headers.get('X-Amz-Security-Token')}\n"
        said += "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        kind = next((word for word in ("xml", "code", "broken", "latin", "status") if word in self.path), "text")
        status, media, body = {
            "xml": (
                403,
                "application/xml",
                f"<Error><Code>AccessDenied</Code><Message>{_escape(said)}</Message></Error>",
            ),
            "code": (403, "application/xml", f"<Error><Code>{_escape(said)}</Code></Error>"),
            "broken": (403, "application/xml", f"<Error>{_escape(said)}"),
            "latin": (500, "text/plain", f"\xff{said}"),
            "status": (407, "text/html", said),
            "text": (400, "text/plain", said),
        }[kind]
        data = body.encode("latin-1")
        self.send_response(status, "no")
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_CONNECT(self) -> None:
        self.send_response(407, " ".join(self.headers.values()))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """Endpoint of a server that repeats the headers of a request in its answer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _nothing_protected() -> Iterator[None]:
    yield
    redaction._patterns = redaction._CredentialPatterns()


def problem(output: Output, environment: dict[str, str]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        S3Store(output, environment=environment).check()
    return caught.value


SENT = st.text("abcXYZ0123/+=%'\"\\&<>@:", min_size=3, max_size=60)
"""What a header can hold."""
ODD = st.one_of(
    st.text(st.characters(min_codepoint=1, max_codepoint=0x3FF, exclude_categories=["Cs"]), min_size=3, max_size=40),
    st.text("abcdefgh0123", min_size=3, max_size=40).map(lambda text: f"{text}\n"),
)
FAILURES = (
    "dead",
    "tls",
    "xml",
    "code",
    "broken",
    "latin",
    "status",
    "text",
    "proxy",
    "tunnel",
    "dead proxy",
    "authority",
)


@settings(derandomize=True, deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.tuples(SENT, SENT, SENT) | st.tuples(SENT, ODD, ODD), st.sampled_from(FAILURES))
def test_no_failure_message_has_a_credential(echo, tmp_path_factory, capsys, keys, failure) -> None:
    access, secret, token = keys
    redaction._patterns = redaction._CredentialPatterns()
    folder = tmp_path_factory.mktemp("pod")
    (folder / "ca.crt").write_text(secret, errors="surrogatepass")
    values = {ACCESS: access, SECRET: secret, TOKEN: token}
    way = {
        "proxy": {"HTTP_PROXY": f"http://{_quote(access)}:{_quote(secret)}@{echo}"},
        "tunnel": {"HTTPS_PROXY": f"http://{_quote(access)}:{_quote(secret)}@{echo}"},
        "dead proxy": {"http_proxy": f"http://{access}:{secret}@127.0.0.1:1"},
    }.get(failure, {})
    endpoint = {"dead": "127.0.0.1:1"}.get(failure, "store.invalid:9000" if way else echo)
    output = Output(
        endpoint=endpoint,
        bucket=f"data-{failure.replace(' ', '-')}",
        insecure=failure not in ("tls", "tunnel", "authority"),
    )

    def work(_given: AttemptInput, _store: object) -> PlanMessage:
        authority = folder / "ca.crt" if failure == "authority" else None
        S3Store(output, environment=values | way, authority=authority).check()
        return PlanMessage()

    attempt = AttemptInput(
        namespace="lab",
        name="s",
        recipe_name="r",
        recipe={},
        output=output,
        parallelism=1,
        engine_version=1,
        plan="a",
        attempt="b",
    )
    (folder / "attempt.json").write_text(attempt.model_dump_json())
    job = Job("plan", work, lambda problem: PlanMessage(problem=problem))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GOOD.items():
            patch.setenv(name, value)
        code = run(job, [f"--input={folder}/attempt.json", f"--message={folder}/message"])
    message = read_message((folder / "message").read_text())
    assert code == 75
    assert message is not None
    assert message.problem is not None
    told = message.problem.message + capsys.readouterr().err
    for value in (access, secret, token):
        for form in {value.strip(), json.dumps(value)[1:-1], b64encode(value.encode()).decode().rstrip("=")}:
            assert len(form) < 8 or form not in told, (failure, told)


def _quote(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def test_client_errors_about_a_header_are_redacted_in_logs() -> None:
    redaction.register_credentials(GOOD.values())
    error = ValueError(f"Invalid header value b'AWS4-HMAC-SHA256 Credential={GOOD[ACCESS]}\\n/2030, Signature=0a1b'")
    assert GOOD[ACCESS] in "".join(traceback.format_exception(error))
    assert "Credential=***" in describe_traceback(error)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({ACCESS: "AKIAEXAMPLE0000\n"}, "AWS_ACCESS_KEY_ID ends with a line feed"),
        ({SECRET: "secret-example\r\n"}, "AWS_SECRET_ACCESS_KEY ends with a line feed"),
        ({SECRET: "\tsecret-example"}, "AWS_SECRET_ACCESS_KEY begins with a tab"),
        ({ACCESS: "AKIA EXAMPLE"}, "AWS_ACCESS_KEY_ID has a blank in it"),
        ({TOKEN: "one\ntwo"}, "AWS_SESSION_TOKEN has a line feed in it"),
        ({TOKEN: "\x00token"}, "AWS_SESSION_TOKEN has a control character in it"),
        ({SECRET: "sécret-example"}, "AWS_SECRET_ACCESS_KEY has a character that is not ASCII"),
        ({SECRET: "\udcff-example"}, "AWS_SECRET_ACCESS_KEY has a character that is not ASCII"),
        ({ACCESS: " \n"}, "AWS_ACCESS_KEY_ID holds nothing but blanks"),
        ({ACCESS: "", SECRET: ""}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are empty"),
    ],
)
def test_a_key_that_cannot_be_right_is_named_when_it_is_read(changes, words) -> None:
    output = Output(endpoint="127.0.0.1:1", bucket="data", insecure=True, secret_ref=SecretRef(name="store"))
    error = problem(output, GOOD | changes)
    assert error.reason is Reason.ACCESS_DENIED
    assert not error.is_passing
    assert str(error) == (
        f"the credentials for bucket 'data' cannot be used: {words}; make the Secret 'store' again with kubectl create "
        "secret generic --from-literal, or encode the key with echo -n, which adds no line feed"
    )


@pytest.mark.parametrize(("port", "insecure"), [("", True), (":80", True), (":443", False)])
def test_the_usual_port_of_an_ipv6_address(port, insecure, monkeypatch) -> None:
    monkeypatch.setattr("urllib3.util.connection.create_connection", _refuse)
    output = Output(endpoint=f"[::1]{port}", bucket="data", insecure=insecure)
    assert "cannot be used (connection refused)" in str(problem(output, GOOD))


def _refuse(*_: object, **__: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_blanks_inside_a_secret_key_are_right() -> None:
    output = Output(endpoint="127.0.0.1:1", bucket="data", insecure=True)
    assert "connection refused" in str(problem(output, GOOD | {SECRET: "a phrase of words"}))


@pytest.mark.parametrize(
    "text", ["[default\naws_secret_access_key=hidden\n", "[default]\naws_access_key_id=A%hidden\n"]
)
def test_a_credentials_file_that_cannot_be_read_is_not_quoted(text, monkeypatch, tmp_path) -> None:
    (tmp_path / "credentials").write_text(text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    said = str(problem(Output(endpoint="127.0.0.1:1", bucket="data", insecure=True), {}))
    assert "the AWS credentials file is not an INI file, or has a single '%'" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    "text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_authority_that_is_no_certificate(text, tmp_path) -> None:
    (tmp_path / "ca.crt").write_text(text)
    with pytest.raises(
        StoreError, match=r"ca.crt holds no certificate in PEM form; check output.caSecretRef"
    ) as caught:
        S3Store(Output(endpoint="h:1", bucket="data"), environment=GOOD, authority=tmp_path / "ca.crt")
    assert caught.value.reason is Reason.CERTIFICATE_INVALID


@pytest.mark.parametrize("kind", ["code", "broken", "latin", "text"])
def test_an_answer_that_is_not_s3_is_a_sentence(echo, kind) -> None:
    error = problem(Output(endpoint=echo, bucket=f"data-{kind}", insecure=True), GOOD)
    assert error.reason is Reason.STORE_UNREACHABLE
    assert str(error).startswith(f"the store at {echo} cannot be used (")
