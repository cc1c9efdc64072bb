"""No spelling of a credential in use passes, nor what looks like one; other text stays as it is."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_api import redaction
from synth_api.reasons import Reason
from synth_api.redaction import redact, register_credentials
from synth_api.resources.conditions import Problem
from synth_api.sentences import clean, describe_traceback, explain, format_log_entry

CREDENTIALS = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), min_size=8, max_size=80).filter(
    lambda text: len(text.strip()) >= 8 and "***" not in text
)
SPELLINGS = (
    lambda secret: secret,
    lambda secret: quote(secret, safe=""),
    lambda secret: quote(secret).lower() if secret.isascii() and secret.islower() else quote(secret),
    quote_plus,
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: repr(secret)[1:-1],
    lambda secret: repr(secret.encode())[2:-1],
    lambda secret: json.dumps(repr(secret.encode()))[1:-1],
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    lambda secret: secret.encode().hex(),
    lambda secret: " ".join(secret.split()),
)


@pytest.fixture(autouse=True)
def _nothing_protected() -> Iterator[None]:
    yield
    redaction._patterns = redaction._CredentialPatterns()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(CREDENTIALS, st.sampled_from(SPELLINGS))
def test_a_credential_in_use_is_replaced_in_every_spelling(secret, spell) -> None:
    redaction._patterns = redaction._CredentialPatterns()
    register_credentials([secret])
    spelled = spell(secret)
    said = redact(f"the store says <{spelled}> and closes")
    assert spelled not in said
    assert said.startswith("the store says ")
    assert redact(said) == said


def test_a_credential_that_a_library_shortened_is_replaced() -> None:
    token = "".join(f"{number:x}" for number in range(200))
    register_credentials([token])
    assert redact(f"got {token[:60]}… of {token[90:150]}") == "got ***… of ***"


def test_a_short_credential_is_replaced_as_a_whole_word_only() -> None:
    register_credentials(["key1", "ab", "", None])
    assert redact("key1 of monkey12 at ab") == "*** of monkey12 at ab"


@pytest.mark.parametrize(
    ("said", "redacted"),
    [
        ("Signature=0a1b, SignedHeaders=host", "Signature=***, SignedHeaders=host"),
        (
            "b'AWS4-HMAC-SHA256 Credential=AK\\n/2030/s3, Signature=0a'",
            "b'AWS4-HMAC-SHA256 Credential=***, Signature=***'",
        ),
        ("?X-Amz-Security-Token=a%2Fb&X-Amz-Signature=0f&x=1", "?X-Amz-Security-Token=***&X-Amz-Signature=***&x=1"),
        ("Authorization: Bearer abc\nHost: h", "Authorization: ***\nHost: h"),
        ('Authorization: Digest username="u", response="r"\n', "Authorization: ***\n"),
        ("{'Authorization': 'Basic dTpw', 'Host': 'h'}", "{'Authorization': ***, 'Host': 'h'}"),
        ("[('Proxy-Authorization', b'Basic dTpw')]", "[('Proxy-Authorization', ***)]"),
        ("Bearer abc.def is expired", "Bearer *** is expired"),
        ("AWS_SECRET_ACCESS_KEY=a/b+c= is set", "AWS_SECRET_ACCESS_KEY=*** is set"),
        ('{"aws_session_token": "a\\"b", "x": 1}', '{"aws_session_token": ***, "x": 1}'),
        ("<AWSAccessKeyId>AK</AWSAccessKeyId><Code>x</Code>", "<AWSAccessKeyId>***</AWSAccessKeyId><Code>x</Code>"),
        ("https://user:p/w@proxy:3128/path", "https://***@proxy:3128/path"),
        ("no proxy user:pw@proxy:3128", "no proxy ***@proxy:3128"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----.", "***."),
        ("key AKIAIOSFODNN7EXAMPLE", "key ***"),
    ],
)
def test_text_that_looks_like_a_credential_is_replaced(said: str, redacted: str) -> None:
    assert redact(said) == redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize(
    "said",
    [
        "the store at minio.store.svc:9000 denies access to bucket 'lab' (InvalidToken): the session token has expired",
        "couldn't find key AWS_ACCESS_KEY_ID in Secret lab/store",
        "registry.example:5000/lab/renderer:1.2@sha256:0a1b cannot be pulled",
        "docker-pullable://registry/lab/renderer@sha256:0a1b",
        "blueprints.particles.Bead.number=100, initial_runtime_state.seed=3",
        "defaults entries are plain names: no '/', ':', '..', '@'",
        "basic authentication is needed",
    ],
)
def test_other_text_is_unchanged(said: str) -> None:
    assert redact(said) == said


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=200) | st.text("toke=:@/'\"*<> abBearer", max_size=80), st.integers(8, 60))
def test_a_clean_sentence_is_short_printable_and_stays_as_it_is(text: str, longest: int) -> None:
    said = clean(text, longest)
    assert len(said) <= longest
    assert said.isprintable()
    assert clean(said, longest) == said


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Invalid header value\n b'Signature=0a1b'"), "ValueError: Invalid header value b'Signature=***'"),
        (KeyError("a"), "KeyError: 'a'"),
        (MemoryError(), "MemoryError"),
        (UnspeakableError(), "UnspeakableError"),
        (OSError(2, "No such file", "https://u:p@h"), "FileNotFoundError: [Errno 2] No such file: 'https://***@h'"),
    ],
)
def test_any_exception_is_one_sentence(error: Exception, said: str) -> None:
    assert explain(error) == said


def test_every_model_with_a_message_cleans_it() -> None:
    problem = Problem(reason=Reason.WORKER_FAILED, message="x\x1b[31m\nSignature=0a1b " + "y" * 2000)
    assert problem.message.startswith("x [31m Signature=*** yyy")
    assert len(problem.message) == 1024


def test_a_log_and_a_traceback_hold_no_credential() -> None:
    register_credentials(["the whole secret"])
    try:
        raise ValueError("the whole secret") from KeyError("https://u:p@h")
    except ValueError as error:
        text = describe_traceback(error)
    assert "KeyError: 'https://***@h'" in text
    assert "ValueError: ***" in text
    entry = json.loads(format_log_entry("ended", {"facts": [{"message": "the whole secret"}], "code": 75}))
    assert (entry["event"], entry["facts"], entry["code"]) == ("ended", [{"message": "***"}], 75)


def test_credentials_registered_by_threads_at_the_same_time_are_all_kept() -> None:
    secrets = [f"{number}-secret-of-a-thread" for number in range(12)]
    start = Barrier(len(secrets))
    interval = sys.getswitchinterval()

    def run(secret: str) -> None:
        start.wait()
        register_credentials([secret])

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(secrets)) as pool:
            list(pool.map(run, secrets))
    finally:
        sys.setswitchinterval(interval)
    assert [redact(f"a {secret} b") for secret in secrets] == ["a *** b"] * len(secrets)
