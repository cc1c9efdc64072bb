"""Endpoints of stores: those that a platform allows, and addresses that no store may have."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from synth_api.errors import InputError
from synth_api.resources.text_formats import check_endpoint

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from synth_api.resources.output import Output

_RESERVED_NAME: Final = re.compile(r"(.+\.)?localhost|kubernetes(\.default(\.svc(\..+)?)?)?")
"""This machine, and the API server as pods find it in any cluster domain."""


def _check_allowed_endpoint(text: str) -> str:
    try:
        return text[: -len(text.removeprefix("*."))] + check_endpoint(text.removeprefix("*."))
    except InputError:
        problem = "must be a host, a host with a port, or *. and a domain, such as *.store.example"
        raise InputError("", f"{problem}, not '{text[:80]}'") from None


AllowedEndpoint = Annotated[str, AfterValidator(_check_allowed_endpoint), Field(min_length=1, max_length=261)]
"""`host`, `host:port`, `*.domain` or `*.domain:port`; without a port any port."""


def covers_endpoint(allowed: str, output: Output) -> bool:
    """Return True if an allowed endpoint is the endpoint of an output or covers it."""
    pattern, (host, port) = urlsplit(f"//{allowed}"), split_endpoint(output)
    wanted = normalize_host(pattern.hostname or "")
    is_host = host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted
    return is_host and pattern.port in (None, port)


def split_endpoint(output: Output) -> tuple[str, int]:
    """Return host and port of an output, as they are compared."""
    endpoint = urlsplit(f"//{output.endpoint}")
    return normalize_host(endpoint.hostname or ""), endpoint.port or (80 if output.insecure else 443)


def is_reserved_host(host: str) -> bool:
    """Return True for a host, as written in an endpoint, that no store may have."""
    name = normalize_host(host)
    address = parse_address(name)
    return is_reserved_address(address) if address else _RESERVED_NAME.fullmatch(name) is not None


def is_reserved_address(address: IPv4Address | IPv6Address) -> bool:
    """Return True for an address of this machine or of the link, where nodes offer credentials."""
    return address.is_loopback or address.is_link_local or address.is_unspecified


def parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is, with an IPv4 address in IPv6 as such; None for a name."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def normalize_host(host: str) -> str:
    """Return a host as it is compared: lower case, without a final dot, addresses in their shortest form."""
    name = host.lower().removesuffix(".")
    return str(parse_address(name) or name)
