"""The store of a sweep, opened with the credentials of the user."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.jobs.attempt_input import INPUT_FILE, AttemptInput
from synth_api.jobs.names import build_input_name
from synth_api.resources.text_formats import check_endpoint
from synth_api.temporary import create_temporary_folder
from synth_dataset.store.s3_credentials import ACCESS_KEY, NAMES
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_api.resources.output import Output
    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.connection import Cluster


@contextmanager
def open_sweep_store(cluster: Cluster, sweep: ClusterSweep, endpoint: str | None) -> Iterator[S3Store]:
    """Open the store of a sweep; `endpoint` replaces the endpoint that pods use.

    Credentials come from the environment, else from the Secret of the sweep if the user may read it, else from the
    credential chain of the client. Raises InputError for an unknown store, StoreError for an unusable one.
    """
    output = find_output(cluster, sweep)
    reachable = _replace_endpoint(output, endpoint)
    with create_temporary_folder() as folder:
        authority = None
        if output.ca_secret_ref:
            authority = folder / "ca.crt"
            authority.write_bytes(_read_entry(cluster.read_secret(output.ca_secret_ref.name), output.ca_secret_ref.key))
        yield S3Store(reachable, environment=_find_credentials(cluster, output), authority=authority)


def find_output(cluster: Cluster, sweep: ClusterSweep) -> Output:
    """Return the output of a sweep: `spec.output`, else that of its newest attempt. Raises InputError."""
    if sweep.spec.output:
        return sweep.spec.output
    attempt = sweep.status.attempt
    data = cluster.read_config_map(build_input_name(sweep.name, attempt.hash)) if attempt else None
    if not data:
        problem = "its store is unknown: it has no spec.output, and the input of its Jobs was deleted; add spec.output"
        raise InputError(sweep.name, problem)
    return AttemptInput.model_validate_json(data[INPUT_FILE]).output


def _find_credentials(cluster: Cluster, output: Output) -> Mapping[str, str]:
    if output.secret_ref is None or os.environ.get(ACCESS_KEY):
        return os.environ
    secret = cluster.read_secret(output.secret_ref.name)
    others = {
        name: value for name, value in os.environ.items() if name not in NAMES
    }  # keeps proxies and certificate authorities
    return others | {name: os.fsdecode(secret[name]) for name in NAMES if name in secret}


def _replace_endpoint(output: Output, endpoint: str | None) -> Output:
    if endpoint is None:
        return output
    try:
        return output.model_copy(update={"endpoint": check_endpoint(endpoint)})
    except InputError as error:
        raise InputError("--endpoint", error.problem) from None


def _read_entry(secret: Mapping[str, bytes], key: str) -> bytes:
    if key not in secret:
        raise InputError("output.caSecretRef", f"the Secret has no key '{key}'; give the key of the certificate")
    return secret[key]
