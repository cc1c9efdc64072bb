"""Certificates that renew themselves without a restart, and whom the API server trusts meanwhile."""

from __future__ import annotations

import ssl
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from synth_operator.kube.api import ApiError, JsonObject, Resource
from synth_operator.webhook.certificates import MountedCertificates, OwnCertificates
from synth_operator.webhook.registration import Registration
from synth_operator.webhook.self_signed import LIFETIME, MAX_CERTIFICATES, make_certified_key, update_bundle
from synth_operator.webhook.tls import ServerContext

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import OneConfiguration

HOST = "synth-webhook.synth.svc"
START = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
NO_CHECK_TIME = 0x200000
"""Flag of OpenSSL: the time of these tests is a replica's, not the machine's."""


class Replica:
    """A replica with a clock, and a TLS client that trusts what the API server trusts."""

    def __init__(self, api: OneConfiguration, name: str = "replica-0") -> None:
        self.now = START
        self._api = api
        self.server = ServerContext()
        self.certificates = OwnCertificates(Registration(api, "synth", name), name, [HOST], lambda: self.now)

    def refresh(self, *, after: timedelta = timedelta()) -> str:
        self.now += after
        identity = self.certificates.refresh()
        self.server.load(identity.chain)
        return identity.path

    @property
    def served(self) -> x509.Certificate:
        """Certificate of a handshake in which the client trusts the bundle alone."""
        return shake_hands(self.server, read_bundle(self._api))


def read_bundle(api: OneConfiguration) -> bytes:
    return b64decode(api.client["caBundle"])


def shake_hands(serving: ServerContext, bundle: bytes) -> x509.Certificate:
    """Return the server's certificate, verified by a client at any time. Raises ssl.SSLError if it is not trusted."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.verify_flags |= NO_CHECK_TIME
    client_context.load_verify_locations(cadata=bundle.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=HOST)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    der = client.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def test_a_new_replica_is_trusted_at_once(api: OneConfiguration) -> None:
    replica = Replica(api)

    replica.refresh()

    assert replica.served.not_valid_after_utc == START + LIFETIME


def test_a_certificate_is_renewed_before_it_expires_and_known_before_it_is_used(api: OneConfiguration) -> None:
    replica = Replica(api)
    replica.refresh()
    first = replica.served

    replica.refresh(after=LIFETIME * 2 / 3 - HOUR)
    assert replica.served == first
    replica.refresh(after=2 * HOUR)
    assert replica.served == first
    assert len(x509.load_pem_x509_certificates(read_bundle(api))) == 2
    replica.refresh(after=timedelta(minutes=1))
    second = replica.served
    assert second.not_valid_after_utc > first.not_valid_after_utc

    replica.refresh(after=timedelta(minutes=1))
    assert x509.load_pem_x509_certificates(read_bundle(api)) == [second]


def test_a_certificate_that_has_expired_is_replaced_at_once(api: OneConfiguration) -> None:
    replica = Replica(api)
    replica.refresh()

    replica.refresh(after=LIFETIME + HOUR)

    assert replica.served.not_valid_after_utc == replica.now + LIFETIME


def test_all_replicas_are_trusted_and_a_restart_replaces_only_its_own(api: OneConfiguration) -> None:
    replicas = [Replica(api, f"replica-{number}") for number in range(3)]
    for replica in replicas:
        replica.refresh()
    again = Replica(api, "replica-1")
    again.refresh()

    served = [replica.served for replica in (replicas[0], again, replicas[2])]

    assert len(set(served)) == len(x509.load_pem_x509_certificates(read_bundle(api))) == 3
    with pytest.raises(ssl.SSLError):
        _ = replicas[1].served


def test_a_replica_that_is_gone_is_trusted_until_its_certificate_expires(api: OneConfiguration) -> None:
    gone, replica = Replica(api, "gone"), Replica(api)
    gone.refresh()
    for _ in range(3):
        replica.refresh(after=LIFETIME / 4)
    assert gone.served
    replica.refresh(after=LIFETIME / 4 + HOUR)
    with pytest.raises(ssl.SSLError):
        _ = gone.served


def test_a_bundle_that_somebody_replaced_is_repaired(api: OneConfiguration) -> None:
    replica = Replica(api)
    replica.refresh()
    for damage in ("", "bm8gY2VydGlmaWNhdGU="):
        api.client["caBundle"] = damage
        replica.refresh(after=timedelta(minutes=1))
        assert replica.served


def test_a_bundle_does_not_grow_with_crashes_and_evictions() -> None:
    bundle = b""
    for number in range(MAX_CERTIFICATES + 3):
        own = make_certified_key(f"pod-{number}", [HOST], START + number * HOUR / 2).certificate
        bundle = update_bundle(bundle, f"pod-{number}", [own], START)

    found = x509.load_pem_x509_certificates(bundle)
    assert len(found) == MAX_CERTIFICATES
    names = {each.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for each in found}
    assert names == {f"pod-{number}" for number in range(3, MAX_CERTIFICATES + 3)}


def test_nothing_is_written_while_nothing_changes(api: OneConfiguration) -> None:
    replica = Replica(api)
    for _ in range(10):
        replica.refresh(after=timedelta(minutes=1))

    assert api.writes == 1


def test_only_the_api_server_knows_the_path(api: OneConfiguration) -> None:
    paths = {Replica(api, f"replica-{number}").refresh() for number in range(3)}

    assert paths == {api.client["service"]["path"]}
    (path,) = paths
    assert len(path) == 33
    assert path != Replica(type(api)()).refresh()


def test_a_write_of_another_replica_is_not_overwritten(api: OneConfiguration) -> None:
    class Raced(type(api)):  # type: ignore[misc]
        def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
            body = super().read(resource, namespace, name)
            self.body["metadata"]["resourceVersion"] = "7"
            return body  # type: ignore[no-any-return]

    with pytest.raises(ApiError, match="it has changed"):
        Replica(Raced()).refresh()


def test_a_missing_configuration_is_named(api: OneConfiguration) -> None:
    api.body = None

    with pytest.raises(ApiError, match="there is no ValidatingWebhookConfiguration 'synth'; install the chart again"):
        Replica(api).refresh()


def write_pair(folder: Path, replica: str) -> bytes:
    pair = make_certified_key(replica, [HOST], START)
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    return pair.certificate


def test_a_mounted_certificate_is_loaded_again_when_the_file_changes(api: OneConfiguration, tmp_path: Path) -> None:
    server = ServerContext()
    mounted = MountedCertificates(Registration(api, "synth", "replica-0"), tmp_path)
    served = []
    for replica in ("first", "second"):
        trusted = write_pair(tmp_path, replica)
        server.load(mounted.refresh().chain)
        served.append(shake_hands(server, trusted))

    assert served[0] != served[1]
    assert mounted.refresh().path == api.client["service"]["path"]
    assert "caBundle" not in api.client


def test_half_a_mounted_certificate_is_not_served(api: OneConfiguration, tmp_path: Path) -> None:
    server = ServerContext()
    mounted = MountedCertificates(Registration(api, "synth", "replica-0"), tmp_path)
    first = write_pair(tmp_path, "first")
    server.load(mounted.refresh().chain)
    (tmp_path / "tls.crt").write_bytes(make_certified_key("second", [HOST], START).certificate)
    with pytest.raises(OSError, match="KEY_VALUES_MISMATCH"):
        server.load(mounted.refresh().chain)

    assert shake_hands(server, first)
