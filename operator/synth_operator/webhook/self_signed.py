"""Certificates that a replica signs for itself, and the bundle of those that the API server trusts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

LIFETIME: Final = timedelta(days=3)
"""Validity of a certificate: the API server trusts a replica that is gone for no longer."""
MAX_CERTIFICATES: Final = 32
"""Certificates in a bundle; an object of the API has room for a thousand."""
_CLOCK_SKEW: Final = timedelta(minutes=10)
"""A certificate is valid before it is made, since the API server has another clock."""


@dataclass(frozen=True)
class CertifiedKey:
    """A private key and the certificate of its public key, both PEM."""

    certificate: bytes
    key: bytes
    not_after: datetime
    """End of the certificate's validity."""

    @property
    def chain(self) -> bytes:
        """Certificate and key, as a server loads them."""
        return self.certificate + self.key


def make_certified_key(replica: str, hosts: Sequence[str], now: datetime) -> CertifiedKey:
    """Return a new key and its certificate for these DNS names, signed with itself; `replica` is a host's name."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = _build_name(replica, serial)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), serial)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return CertifiedKey(
        certificate=certificate.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        not_after=certificate.not_valid_after_utc,
    )


def update_bundle(bundle: bytes, replica: str, own: Sequence[bytes], now: datetime) -> bytes:
    """Return the bundle with this replica's certificates in place of its former ones, and without expired ones."""
    others = [
        certificate
        for certificate in _read_bundle(bundle)
        if _read_replica(certificate) != replica and certificate.not_valid_after_utc > now
    ]
    others.sort(key=lambda certificate: certificate.not_valid_after_utc, reverse=True)
    kept = others[: MAX_CERTIFICATES - len(own)]
    return b"".join([*(certificate.public_bytes(Encoding.PEM) for certificate in kept), *own])


def _read_bundle(bundle: bytes) -> list[x509.Certificate]:
    """Return the certificates of a bundle; none if it cannot be read, for then no certificate in it is trusted."""
    try:
        return x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return []


def _build_name(replica: str, serial: int) -> x509.Name:
    """Return a name of its own for each certificate: by the name a client finds the one that it trusts."""
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, replica),
            x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, f"{serial:x}"),
        ]
    )


def _read_replica(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
