"""The way to an S3 store through the proxy that the environment names, as curl and Go read it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from synth_api.reasons import Reason
from synth_api.redaction import register_credentials
from synth_dataset.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.resources.output import Output

_SCHEMES: Final = ("http", "https")


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the variable that names it."""

    variable: str
    url: str
    """Without userinfo."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Its credentials."""

    def __str__(self) -> str:
        return f"the proxy {self.url} of {self.variable}"


def find_proxy(output: Output, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for an output's endpoint; None where the store is asked directly, as one on this machine always is.

    Raises StoreError for a variable that is no address of a proxy.
    """
    scheme = "http" if output.insecure else "https"
    variable = next((name for name in _names(f"{scheme}_proxy") if environment.get(name, "").strip()), None)
    if variable is None or _is_direct(output.endpoint, _first(environment, "no_proxy")):
        return None
    return _parse(variable, environment[variable].strip())


def _names(name: str) -> tuple[str, str]:
    return name, name.upper()


def _first(environment: Mapping[str, str], name: str) -> str:
    return next((environment[each] for each in _names(name) if environment.get(each)), "")


def _parse(variable: str, value: str) -> Proxy:
    try:
        address = urlsplit(value if "://" in value else f"http://{value}")
        port, username, password = address.port, unquote(address.username or ""), unquote(address.password or "")
    except ValueError:
        raise _unusable(variable) from None
    register_credentials([password, f"{username}:{password}"] if password else [])
    has_more = address.path.strip("/") or address.query or address.fragment
    if address.scheme not in _SCHEMES or not address.hostname or not value.isprintable() or " " in value or has_more:
        raise _unusable(variable)
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    url = f"{address.scheme}://{host}" + (f":{port}" if port is not None else "")
    if "@" not in address.netloc:
        return Proxy(variable, url)
    credentials = b64encode(f"{username}:{password}".encode()).decode()
    register_credentials([credentials])
    return Proxy(variable, url, {"proxy-authorization": f"Basic {credentials}"})


def _unusable(variable: str) -> StoreError:
    sentence = f"{variable} is no address of an HTTP proxy; write http://HOST:PORT, or unset it"
    return StoreError(Reason.STORE_UNREACHABLE, sentence)


def _is_direct(endpoint: str, exceptions: str) -> bool:
    """Whether no proxy is asked: on this machine, or where `NO_PROXY` lists the host by name, domain or network."""
    host = urlsplit(f"//{endpoint}").hostname or ""
    listed = [entry.strip().lower() for entry in exceptions.split(",") if entry.strip()]
    return _is_local(host) or "*" in listed or any(_covers(entry, host, endpoint.lower()) for entry in listed)


def _is_local(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _covers(entry: str, host: str, endpoint: str) -> bool:
    domain = entry.lstrip("*").lstrip(".")
    if domain in (host, endpoint) or host.endswith(f".{domain}"):
        return True
    try:
        return _is_address(host) and ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
