"""HTTP proxy of an S3 store, from the environment variables that curl and Go read."""

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
    """Proxy, and the environment variable that names it."""

    variable: str
    url: str
    """Without userinfo."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers with the credentials of the proxy."""

    def __str__(self) -> str:
        return f"the proxy {self.url} of {self.variable}"


def find_proxy(output: Output, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for the endpoint of an output; None for a direct connection, always on this machine.

    Raises StoreError for a variable that is not the address of a proxy.
    """
    scheme = "http" if output.insecure else "https"
    variable = next((name for name in _list_spellings(f"{scheme}_proxy") if environment.get(name, "").strip()), None)
    if variable is None or _is_direct(output.endpoint, _read_variable(environment, "no_proxy")):
        return None
    return _parse_proxy(variable, environment[variable].strip())


def _list_spellings(name: str) -> tuple[str, str]:
    return name, name.upper()


def _read_variable(environment: Mapping[str, str], name: str) -> str:
    return next((environment[each] for each in _list_spellings(name) if environment.get(each)), "")


def _parse_proxy(variable: str, value: str) -> Proxy:
    try:
        address = urlsplit(value if "://" in value else f"http://{value}")
        port, username, password = address.port, unquote(address.username or ""), unquote(address.password or "")
    except ValueError:
        raise _to_store_error(variable) from None
    register_credentials([password, f"{username}:{password}"] if password else [])
    has_path = address.path.strip("/") or address.query or address.fragment
    if address.scheme not in _SCHEMES or not address.hostname or not value.isprintable() or " " in value or has_path:
        raise _to_store_error(variable)
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    url = f"{address.scheme}://{host}" + (f":{port}" if port is not None else "")
    if "@" not in address.netloc:
        return Proxy(variable, url)
    credentials = b64encode(f"{username}:{password}".encode()).decode()
    register_credentials([credentials])
    return Proxy(variable, url, {"proxy-authorization": f"Basic {credentials}"})


def _to_store_error(variable: str) -> StoreError:
    sentence = f"{variable} is not the address of an HTTP proxy; write http://HOST:PORT, or unset it"
    return StoreError(Reason.STORE_UNREACHABLE, sentence)


def _is_direct(endpoint: str, exceptions: str) -> bool:
    """Return True for a direct connection: on this machine, or to a name, domain or network in `NO_PROXY`."""
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
