"""Which endpoints an allowed one covers, and which hosts no store may have."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from pydantic import TypeAdapter, ValidationError

from synth_api.resources.endpoints import (
    AllowedEndpoint,
    covers_endpoint,
    is_reserved_address,
    is_reserved_host,
    parse_address,
    split_endpoint,
)
from synth_api.resources.output import Output


def build_output(endpoint: str, *, insecure: bool = False) -> Output:
    return Output(endpoint=endpoint, bucket="data", insecure=insecure)


@pytest.mark.parametrize(
    ("allowed", "endpoint"),
    [
        ("minio.store.svc:9000", "minio.store.svc:9000"),
        ("minio.store.svc", "minio.store.svc:9000"),
        ("s3.example.org:443", "S3.Example.Org."),
        ("*.example.org", "s3.eu.example.org:9000"),
        ("*.example.org:443", "s3.example.org"),
        ("10.0.0.7:9000", "10.0.0.7:9000"),
        ("[2001:db8::7]", "[2001:DB8:0::7]:9000"),
    ],
)
def test_an_allowed_endpoint_covers(allowed: str, endpoint: str) -> None:
    assert TypeAdapter(AllowedEndpoint).validate_python(allowed) == allowed
    assert covers_endpoint(allowed, build_output(endpoint))


@pytest.mark.parametrize(
    ("allowed", "endpoint"),
    [
        ("minio.store.svc:9000", "minio.store.svc:9001"),
        ("minio.store.svc:9000", "minio.store.svc"),
        ("minio.store.svc", "minio.store.svc.evil.example"),
        ("*.example.org", "example.org"),
        ("*.example.org", "evilexample.org"),
        ("s3.example.org:80", "s3.example.org"),
    ],
)
def test_an_allowed_endpoint_does_not_cover(allowed: str, endpoint: str) -> None:
    assert not covers_endpoint(allowed, build_output(endpoint))


@pytest.mark.parametrize("text", ["http://store", "*", "*.*.org", "a.*.org", "store:0", ""])
def test_other_patterns_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AllowedEndpoint).validate_python(text)


@pytest.mark.parametrize(
    "endpoint",
    [
        *("169.254.169.254", "[fe80::1]:80", "[::ffff:169.254.169.254]", "127.0.0.1:6443", "[::1]", "0.0.0.0", "[::]"),
        *("localhost:8080", "a.LOCALHOST", "kubernetes", "kubernetes.default:443", "Kubernetes.Default.svc."),
        "kubernetes.default.svc.cluster.local:6443",
    ],
)
def test_a_host_that_no_store_may_have(endpoint: str) -> None:
    assert is_reserved_host(split_endpoint(build_output(endpoint))[0])


@pytest.mark.parametrize(
    "endpoint", ["minio.default.svc", "my-kubernetes.default", "10.96.0.7", "localhost.example.org", "[2001:db8::7]"]
)
def test_a_host_that_a_store_may_have(endpoint: str) -> None:
    assert not is_reserved_host(split_endpoint(build_output(endpoint))[0])


def test_an_address_of_a_link_is_reserved_with_its_interface() -> None:
    assert parse_address("fe80::1%eth0") == ip_address("fe80::1")
    assert is_reserved_address(ip_address("fe80::1"))
