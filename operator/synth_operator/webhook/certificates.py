"""Certificates with which the server answers: those that a replica renews itself, or cert-manager's in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from synth_operator.webhook.self_signed import LIFETIME, CertifiedKey, make_certified_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from synth_operator.webhook.registration import Registration

_RENEW_BEFORE: Final = LIFETIME / 3
"""Remaining validity at which a certificate is renewed: a day to tell the API server of the next one."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Identity:
    """What a replica serves, and where."""

    chain: bytes
    """Certificate and private key, PEM."""
    path: str
    """Path at which the API server asks."""


class Certificates(Protocol):
    """Source of the certificates that a replica serves."""

    def refresh(self) -> Identity:
        """Return what to serve now; call it every minute.

        Raises:
            ApiError: the API refused a request or did not answer.
            OSError: a file cannot be read.
        """
        ...


class OwnCertificates:
    """Certificates that this replica signs itself; their keys never leave its memory."""

    def __init__(
        self,
        registration: Registration,
        replica: str,
        hosts: Sequence[str],
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._registration = registration
        self._replica = replica
        self._hosts = hosts
        self._now = now
        self._current: CertifiedKey | None = None
        self._next: CertifiedKey | None = None

    def refresh(self) -> Identity:
        """Publish a certificate that is due; it is served from the next time on, when all API servers know it."""
        now, published = self._now(), self._next
        current = self._current or make_certified_key(self._replica, self._hosts, now)
        if current.not_after <= now and published is None:
            current = make_certified_key(self._replica, self._hosts, now)
        following = published
        if published is None and current.not_after - now < _RENEW_BEFORE:
            following = make_certified_key(self._replica, self._hosts, now)
        known = [each.certificate for each in (current, following) if each]
        path = self._registration.publish(known, now)
        self._current, self._next = (published, None) if published else (current, following)
        return Identity(self._current.chain, path)


class MountedCertificates:
    """Certificate in the files `tls.crt` and `tls.key` of a folder, as cert-manager's Secret has them."""

    def __init__(self, registration: Registration, folder: Path) -> None:
        self._registration = registration
        self._folder = folder

    def refresh(self) -> Identity:
        """Return what is in the files now."""
        chain = b"\n".join((self._folder / name).read_bytes() for name in ("tls.crt", "tls.key"))
        return Identity(chain, self._registration.publish(None, _utc_now()))
