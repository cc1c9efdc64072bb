"""The proxy that the environment names is used, or refused by the name of its variable; its credentials stay secret."""

from __future__ import annotations

import pytest
from proxies import proxy

from synth_api.reasons import Reason
from synth_api.redaction import redact
from synth_api.resources.output import Output
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_proxy import Proxy, find_proxy
from synth_dataset.store.s3_store import S3Store

KEYS = {"AWS_ACCESS_KEY_ID": "an-access-key", "AWS_SECRET_ACCESS_KEY": "a-secret-key"}


def output(endpoint: str = "store.lab.example:9000", *, insecure: bool = True) -> Output:
    return Output(endpoint=endpoint, bucket="data", insecure=insecure)


@pytest.mark.parametrize(
    ("environment", "insecure", "found"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, True, Proxy("HTTP_PROXY", "http://proxy:3128")),
        ({"http_proxy": "proxy:3128/", "HTTP_PROXY": "x"}, True, Proxy("http_proxy", "http://proxy:3128")),
        ({"HTTPS_PROXY": "https://[::1]"}, False, Proxy("HTTPS_PROXY", "https://[::1]")),
        ({"HTTPS_PROXY": "http://proxy"}, True, None),
        ({"HTTP_PROXY": " "}, True, None),
    ],
)
def test_the_variable_of_the_scheme_names_the_proxy(environment, insecure, found) -> None:
    assert find_proxy(output(insecure=insecure), environment) == found


@pytest.mark.parametrize(
    ("endpoint", "exceptions", "is_direct"),
    [
        ("store.lab.example:9000", "lab.example", True),
        ("store.lab.example:9000", "x, .LAB.example", True),
        ("store.lab.example:9000", "*.example", True),
        ("store.lab.example:9000", "store.lab.example:9000", True),
        ("store.lab.example:9000", "ab.example,store.lab.example:9001", False),
        ("store.lab.example:9000", "*", True),
        ("10.1.2.3:9000", "10.0.0.0/8", True),
        ("10.1.2.3:9000", "10.1.2.3", True),
        ("11.1.2.3:9000", "10.0.0.0/8,fd00::/8", False),
        ("[fd00::1]:9000", "10.0.0.0/8,fd00::/8", True),
        ("127.0.0.1:9000", "", True),
        ("localhost:9000", "", True),
        ("[::1]:9000", "", True),
    ],
)
def test_who_is_asked_without_the_proxy(endpoint, exceptions, is_direct) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        found = find_proxy(output(endpoint), {"http_proxy": "proxy:3128", name: exceptions})
        assert (found is None) == is_direct


@pytest.mark.parametrize(
    "value",
    [
        "socks5://proxy:1080",
        "http://",
        "http://proxy:abc",
        "http://proxy:99999",
        "http://a b",
        "http://p/x",
        "http://[::1",
    ],
)
def test_a_variable_that_names_no_proxy(value) -> None:
    with pytest.raises(
        StoreError, match=r"^HTTP_PROXY is not the address of an HTTP proxy; write http://HOST:PORT, or unset it$"
    ):
        find_proxy(output(), {"HTTP_PROXY": value})


def test_proxy_credentials_are_sent_but_not_shown() -> None:
    found = find_proxy(output(), {"HTTP_PROXY": "http://user:pass%2Fword@proxy:3128"})
    assert found is not None
    assert found.headers == {"proxy-authorization": "Basic dXNlcjpwYXNzL3dvcmQ="}
    assert str(found) == "the proxy http://proxy:3128 of HTTP_PROXY"
    assert "pass" not in repr(found)
    assert redact("dXNlcjpwYXNzL3dvcmQ= and pass%2Fword and pass/word") == "*** and *** and ***"


def test_requests_go_through_the_proxy_which_is_named_when_it_fails() -> None:
    seen: list[bytes] = []

    def watched(data: bytes) -> bytes | None:
        seen.append(data)
        return None

    with proxy("127.0.0.1:1", up=watched) as address:
        environment = KEYS | {"HTTP_PROXY": f"http://{address}"}
        with pytest.raises(StoreError) as caught:
            S3Store(output(), environment=environment).check()
    assert caught.value.reason is Reason.STORE_UNREACHABLE
    assert f"through the proxy http://{address} of HTTP_PROXY" in str(caught.value)


def test_a_proxy_that_is_away_is_named() -> None:
    environment = KEYS | {"HTTP_PROXY": "http://user:hidden-word@127.0.0.1:1"}
    with pytest.raises(StoreError) as caught:
        S3Store(output(), environment=environment).check()
    assert str(caught.value) == (
        "the store at store.lab.example:9000 cannot be reached through the proxy http://127.0.0.1:1 of HTTP_PROXY "
        "(connection refused); correct HTTP_PROXY, or list the store's host in NO_PROXY"
    )
