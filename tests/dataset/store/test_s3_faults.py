"""A bucket whose server dies, lies or is mistaken for another: nothing is lost, nothing is half there, all is told."""

from __future__ import annotations

import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from proxies import Once, proxy
from servers import minio_server
from urllib3 import PoolManager

from synth_api.reasons import Reason
from synth_dataset.documents import layout
from synth_dataset.store import s3_client
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_client import Patience
from synth_dataset.store.s3_store import PART_BYTES, S3Store

KEY = "ab" * 32
PATIENT = Patience(seconds=60, first_delay=0.05, max_delay=0.2)


@pytest.fixture(scope="module")
def frail(tmp_path_factory, with_bucket):
    """A server that tests may kill."""
    with minio_server(tmp_path_factory.mktemp("frail")) as server:
        yield with_bucket(server)


@pytest.fixture
def open_frail(frail, output_in, credentials):
    """The frail server's store, over another endpoint if need be."""

    def open_store(patience=None, endpoint=None, prefix="frail"):
        output = output_in(frail, prefix)
        output = output.model_copy(update={"endpoint": endpoint or frail.endpoint})
        return S3Store(output, patience, environment=credentials(frail))

    return open_store


class Refused(threading.Event):
    """Never set; tells that somebody waits for it."""

    def __init__(self, seen: threading.Event) -> None:
        super().__init__()
        self._seen = seen

    def wait(self, timeout: float | None = None) -> bool:
        self._seen.set()
        return super().wait(timeout)


def corrupt_last_byte(data: bytes) -> bytes:
    """With another last byte."""
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_server_that_dies_during_an_upload_and_returns_gets_all_of_it(frail, open_frail):
    content = np.random.default_rng(1).bytes(4 * PART_BYTES)
    arrived = threading.Event()

    def told(data):
        arrived.set()
        return data

    with proxy(frail.endpoint, up=told) as endpoint, ThreadPoolExecutor(1) as pool:
        upload = pool.submit(open_frail(PATIENT, endpoint).write, "runs/scene.blend", content)
        arrived.wait()
        frail.kill()
        frail.start()
        upload.result()
    assert sha256(open_frail().read("runs/scene.blend")).digest() == sha256(content).digest()


def test_a_run_is_committed_though_the_server_was_away(frail, open_frail, record_of, tmp_path):
    (tmp_path / "real.png").write_bytes(b"pixels")
    refused = threading.Event()
    patience = replace(PATIENT, stop=Refused(refused))
    frail.kill()
    with ThreadPoolExecutor(1) as pool:
        committing = pool.submit(open_frail(patience).commit_run, tmp_path, record_of(KEY))
        refused.wait()
        frail.start()
        manifest = committing.result()
    assert open_frail().read_manifest(KEY) == manifest


def test_a_store_that_stays_away_is_given_up(frail, open_frail, record_of, tmp_path):
    (tmp_path / "real.png").write_bytes(b"pixels")
    frail.kill()
    try:
        with pytest.raises(StoreError, match=r"cannot be used \(connection refused\)") as caught:
            open_frail(replace(PATIENT, seconds=0.3)).commit_run(tmp_path, record_of(KEY))
    finally:
        frail.start()
    assert caught.value.reason == Reason.STORE_UNREACHABLE


def test_a_stop_ends_the_retries(frail, open_frail):
    patience = Patience(seconds=300)
    patience.stop.set()
    frail.kill()
    try:
        with pytest.raises(StoreError):
            open_frail(patience).read("anything")
    finally:
        frail.start()


def test_a_deaf_server_is_given_up_and_heard_again(frail, open_frail, monkeypatch):
    monkeypatch.setattr(s3_client, "ANSWER_SECONDS", 0.3)
    open_frail().write("file", b"content")
    frail.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match=r"\(it has stopped answering\)"):
            open_frail().read("file")
        heard = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(open_frail(replace(PATIENT, stop=Refused(heard))).read, "file")
            heard.wait()
            frail.send_signal(signal.SIGCONT)
            assert reading.result() == b"content"
    finally:
        frail.send_signal(signal.SIGCONT)


class Killed(BaseException):
    """Nothing of a process runs after it."""


def test_killed_before_any_request_there_is_no_run_without_its_files(minio_store, record_of, tmp_path, monkeypatch):
    for name in ("real.png", "instances.png", "particles.parquet"):
        (tmp_path / name).write_bytes(name.encode())
    urlopen = PoolManager.urlopen
    for survived in range(20):
        left = iter(range(survived))

        def dying(*arguments, left=left, **named):
            if next(left, None) is None:
                raise Killed
            return urlopen(*arguments, **named)

        monkeypatch.setattr(PoolManager, "urlopen", dying)
        try:
            minio_store.commit_run(tmp_path, record_of(KEY))
            break
        except Killed:
            monkeypatch.setattr(PoolManager, "urlopen", urlopen)
            assert not minio_store.has_run(KEY)
    assert survived == 4
    monkeypatch.setattr(PoolManager, "urlopen", urlopen)
    manifest = minio_store.read_manifest(KEY)
    folder = layout.run_path(KEY, manifest.c8)
    assert [sha256(minio_store.read(f"{folder}/{file.path}")).hexdigest() for file in manifest.files] == [
        file.sha256 for file in manifest.files
    ]


@pytest.mark.parametrize("size", [100_000, 2 * PART_BYTES])
def test_a_broken_upload_is_made_again(minio, minio_store, bucket, credentials, size):
    content = np.random.default_rng(size).bytes(size)
    cut = Once(content[50_000:50_016], lambda _: None)
    with proxy(minio.endpoint, up=cut) as endpoint:
        broken = S3Store(bucket.model_copy(update={"endpoint": endpoint}), PATIENT, credentials(minio))
        broken.write("file", content)
    assert cut.is_done
    assert minio_store.read("file") == content


def test_a_broken_upload_leaves_nothing(minio, minio_store, bucket, credentials):
    with proxy(minio.endpoint, up=Once(b"x" * 1000, lambda _: None)) as endpoint:
        broken = S3Store(bucket.model_copy(update={"endpoint": endpoint}), environment=credentials(minio))
        with pytest.raises(StoreError, match="the connection broke"):
            broken.write("file", b"x" * 100_000)
    assert not minio_store.exists("file")


def test_bytes_that_change_on_the_way_are_sent_again(minio, minio_store, bucket, credentials):
    content = b"x" * 100_000
    flip = Once(content[:1000], corrupt_last_byte)
    with proxy(minio.endpoint, up=flip) as endpoint:
        S3Store(bucket.model_copy(update={"endpoint": endpoint}), PATIENT, credentials(minio)).write("file", content)
    assert flip.is_done
    assert minio_store.read("file") == content


def test_a_download_cut_short_is_no_file(minio, minio_store, bucket, credentials):
    content = np.random.default_rng(3).bytes(1_000_000)
    minio_store.write("file", content)
    cut = Once(content[500_000:500_016], lambda _: None)
    with proxy(minio.endpoint, down=cut) as endpoint:
        output = bucket.model_copy(update={"endpoint": endpoint})
        with pytest.raises(StoreError):
            S3Store(output, environment=credentials(minio)).read("file")
        assert cut.is_done
        cut.is_done = False
        assert S3Store(output, PATIENT, credentials(minio)).read("file") == content


def other_tag(data: bytes) -> bytes:
    """As of a bucket that encrypts: the ETag is no MD5 of what was sent."""
    head, mark, rest = data.partition(b'ETag: "')
    return head + mark + b"0" * 32 + rest[32:] if mark else data


def test_an_upload_with_another_etag_is_read_back(minio, minio_store, bucket, credentials):
    with proxy(minio.endpoint, down=other_tag) as endpoint:
        S3Store(bucket.model_copy(update={"endpoint": endpoint}), environment=credentials(minio)).write("file", b"x")
    assert minio_store.read("file") == b"x"


def test_a_store_that_holds_something_else_than_was_sent_is_damaged(minio, bucket, credentials):
    content = b"x" * 1000

    def lie(data):
        return other_tag(data).replace(content, corrupt_last_byte(content))

    with proxy(minio.endpoint, down=lie) as endpoint:
        store = S3Store(bucket.model_copy(update={"endpoint": endpoint}), environment=credentials(minio))
        with pytest.raises(
            StoreError, match=f"{store.format_uri('file')}: the stored object differs from the upload"
        ) as caught:
            store.write("file", content)
    assert caught.value.reason == Reason.STORE_DAMAGED


def test_encrypted_buckets_work(tmp_path, with_bucket, output_in, credentials):
    key = "test-key:" + "A" * 43 + "="
    with minio_server(tmp_path) as server:
        server.kill()
        server.environment = {**server.environment, "MINIO_KMS_SECRET_KEY": key, "MINIO_KMS_AUTO_ENCRYPTION": "on"}
        server.start()
        store = S3Store(output_in(with_bucket(server)), environment=credentials(server))
        for size in (10, PART_BYTES + 1):
            store.write("file", b"x" * size)
            assert store.read("file") == b"x" * size


@pytest.fixture(scope="module")
def certified(tmp_path_factory, with_bucket):
    """A server with a certificate of its own authority, made out to 127.0.0.1; and the authority's file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", folder / "private.key", "-out", folder / "public.crt", "-days", "1"),
            *("-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    with minio_server(tmp_path_factory.mktemp("certified"), certificates=folder) as server:
        yield server, folder / "public.crt"


def refusal(server, credentials, output, authority: Path | None) -> StoreError:
    with pytest.raises(StoreError) as caught:
        S3Store(output, environment=credentials(server), authority=authority).check()
    return caught.value


def test_a_certificate_is_trusted_when_its_authority_is_named(certified, output_in, credentials):
    server, authority = certified
    output = output_in(server).model_copy(update={"insecure": False})
    # The authority is good: it is the bucket that is not there.
    assert refusal(server, credentials, output, authority).reason == Reason.BUCKET_NOT_FOUND
    unknown = refusal(server, credentials, output, None)
    assert unknown.reason == Reason.CERTIFICATE_INVALID
    assert "is not trusted (self-signed certificate); name its authority in output.caSecretRef" in str(unknown)
    other_name = output.model_copy(update={"endpoint": output.endpoint.replace("127.0.0.1", "localhost")})
    wrong = refusal(server, credentials, other_name, authority)
    assert wrong.reason == Reason.CERTIFICATE_INVALID
    assert "localhost" in str(wrong)
    gone = refusal(server, credentials, output, authority.with_name("gone.crt"))
    assert (gone.reason, "gone.crt does not exist; check output.caSecretRef" in str(gone)) == (
        "CertificateInvalid",
        True,
    )


def test_plain_http_to_an_https_store_is_reported(certified, output_in, credentials):
    server, _ = certified
    error = refusal(server, credentials, output_in(server), None)
    assert error.reason == Reason.STORE_UNREACHABLE
    assert "it may speak HTTPS: leave output.insecure out" in str(error)
