"""Addresses `s3://bucket/prefix`, opened with the credentials of the environment."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.problems import convert_validation_error
from synth_api.resources.output import Output
from synth_cli.parameters import parse_path
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from synth_dataset.store.base import Store
    from synth_dataset.store.s3_store import S3Store

_SCHEME: Final = "s3://"
_ENDPOINT: Final = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>[^/]+)/?")
_VARIABLES: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


def is_bucket_address(word: str) -> bool:
    """Return True for an address of S3."""
    return word.startswith(_SCHEME)


def open_bucket(address: str, endpoint: str | None, option: str) -> S3Store:
    """Open the store at an address; `endpoint` is a URL or HOST:PORT, else that of the environment, else AWS.

    Raises InputError for a wrong address or endpoint; sends no request.
    """
    from synth_dataset.store.s3_store import S3Store

    return S3Store(build_output(address, endpoint, option))


def open_place(word: str, endpoint: str | None, option: str) -> Store:
    """Open the store at an address of S3, or in a folder of this machine. Raises InputError; sends no request."""
    if is_bucket_address(word):
        return open_bucket(word, endpoint, option)
    return FolderStore(parse_path(option, word))


def check_writable(place: Store) -> None:
    """Raise InputError for a folder that cannot be written; a bucket says so at the first request."""
    if isinstance(place, FolderStore):
        place.check_writable()


def build_output(address: str, endpoint: str | None, option: str) -> Output:
    """Return bucket, prefix and endpoint of an address. Raises InputError."""
    given = endpoint or next(filter(None, map(os.environ.get, _VARIABLES)), "https://s3.amazonaws.com")
    match = _ENDPOINT.fullmatch(given)
    if match is None:
        raise InputError("--endpoint", f"'{given}' is no endpoint; write http://HOST:PORT or https://HOST")
    bucket, _, prefix = address.removeprefix(_SCHEME).partition("/")
    region = next(filter(None, map(os.environ.get, _REGIONS)), "us-east-1")
    try:
        return Output(
            endpoint=match["host"],
            bucket=bucket,
            prefix=prefix.rstrip("/"),
            region=region,
            insecure=match["scheme"] == "http",
        )
    except ValidationError as error:
        problem = convert_validation_error(error)
        raise InputError(option, f"'{address}': {problem}; write s3://BUCKET/PREFIX") from None
