"""The policy of a namespace allows what a store needs, as all tests on MinIO show, and refuses everything beyond."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import S3Error
from servers import ACCESS_KEY, SECRET_KEY, add_tenant

from synth_api.reasons import Reason
from synth_api.resources.default_output import STORE_FOLDERS
from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
from synth_dataset.documents import layout
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_policy import build_policy
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import S3Server

BUCKET = "datasets"
OTHER = "other/manifests/ab/run.json"


@pytest.fixture
def store(minio_store):
    return minio_store


@pytest.fixture(scope="module")
def administrator(minio: S3Server) -> S3Server:
    return replace(minio, access_key=ACCESS_KEY, secret_key=SECRET_KEY)


@pytest.fixture(scope="module")
def tenant(minio: S3Server, administrator: S3Server) -> Minio:
    """Client with the policy of the namespace `test`, beside a run of another one."""
    open_client(administrator).put_object(BUCKET, OTHER, BytesIO(b"{}"), 2)
    client = open_client(minio)
    client.put_object(BUCKET, "test/mine", BytesIO(b"{}"), 2)
    return client


def open_client(server: S3Server) -> Minio:
    return Minio(server.endpoint, server.access_key, server.secret_key, secure=False, region=server.region)


def test_garbage_is_collected_with_the_policy(store, put, record_of):
    put("ab" * 32)
    garbage = find_garbage(store, timedelta(0))
    remove_garbage(store, garbage)
    assert garbage.bytes > 0
    assert list(store.iterate_keys()) == []


BEYOND: dict[str, Callable[[Minio], Any]] = {
    "read": lambda client: client.get_object(BUCKET, OTHER),
    "stat": lambda client: client.stat_object(BUCKET, OTHER),
    "write": lambda client: client.put_object(BUCKET, OTHER, BytesIO(b"[]"), 2),
    "write beside": lambda client: client.put_object(BUCKET, "test-2/file", BytesIO(b"[]"), 2),
    "write at the root": lambda client: client.put_object(BUCKET, "runs/file", BytesIO(b"[]"), 2),
    "delete": lambda client: client.remove_object(BUCKET, OTHER),
    "copy": lambda client: client.copy_object(BUCKET, "test/stolen", CopySource(BUCKET, OTHER)),
    "list another": lambda client: list(client.list_objects(BUCKET, "other/")),
    "list names that begin alike": lambda client: list(client.list_objects(BUCKET, "test")),
    "list all": lambda client: list(client.list_objects(BUCKET)),
    "list versions": lambda client: list(client.list_objects(BUCKET, "other/", include_version=True)),
    "tag": lambda client: client.get_object_tags(BUCKET, "test/mine"),
    "read the policy": lambda client: client.get_bucket_policy(BUCKET),
    "make a bucket": lambda client: client.make_bucket("another"),
    "delete the bucket": lambda client: client.remove_bucket(BUCKET),
}


@pytest.mark.parametrize("call", BEYOND.values(), ids=BEYOND)
def test_what_lies_beyond_the_folder_is_refused(tenant: Minio, call: Callable[[Minio], Any]) -> None:
    with pytest.raises(S3Error) as refused:
        call(tenant)
    assert refused.value.code == "AccessDenied"


def test_a_store_in_the_folder_of_another_namespace_is_refused(tenant, output_in, minio, credentials):
    foreign = S3Store(output_in(minio).model_copy(update={"prefix": "other"}), environment=credentials(minio))
    for attempt in (foreign.check, lambda: foreign.remove_files(["manifests/ab/run.json"])):
        with pytest.raises(StoreError) as refused:
            attempt()
        assert refused.value.reason == Reason.ACCESS_DENIED


def test_a_shared_prefix_leaves_out_the_folders_of_other_namespaces(tenant, output_in, administrator, credentials):
    access_key, secret_key = add_tenant(administrator.endpoint, build_policy(BUCKET, STORE_FOLDERS), "sharing")
    sharing = replace(administrator, access_key=access_key, secret_key=secret_key)
    S3Store(output_in(sharing).model_copy(update={"prefix": ""}), environment=credentials(sharing)).check()
    with pytest.raises(S3Error, match="Access Denied"):
        open_client(sharing).get_object(BUCKET, OTHER)


def test_the_folders_of_a_store_are_those_of_the_layout():
    assert sorted(STORE_FOLDERS) == sorted(
        ("datasets", layout.MANIFESTS, layout.RECIPES, layout.RUNS, layout.SCRATCH, layout.SWEEPS)
    )
