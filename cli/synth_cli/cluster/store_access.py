"""The store of a sweep, opened with the user's own credentials."""

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
def opened_store(cluster: Cluster, sweep: ClusterSweep, endpoint: str | None) -> Iterator[S3Store]:
    """The store of a sweep; `endpoint` is how this machine reaches it, where that is not as pods do.

    Credentials come from the environment, else from the sweep's Secret if the user may read it, else from the client's
    own chain. Raises InputError where the store is not known, StoreError where it cannot be used.
    """
    output = output_of(cluster, sweep)
    reached = _reached(output, endpoint)
    with create_temporary_folder() as folder:
        authority = None
        if output.ca_secret_ref:
            authority = folder / "ca.crt"
            authority.write_bytes(_entry(cluster.secret(output.ca_secret_ref.name), output.ca_secret_ref.key))
        yield S3Store(reached, environment=_credentials(cluster, output), authority=authority)


def output_of(cluster: Cluster, sweep: ClusterSweep) -> Output:
    """Where the dataset goes: as the sweep says, else as its newest attempt was told by the operator."""
    if sweep.spec.output:
        return sweep.spec.output
    attempt = sweep.status.attempt
    given = cluster.config_map(build_input_name(sweep.name, attempt.hash)) if attempt else None
    if not given:
        problem = (
            "its store is not known here: it has no spec.output, and what its Jobs were told is gone; add spec.output"
        )
        raise InputError(sweep.name, problem)
    return AttemptInput.model_validate_json(given[INPUT_FILE]).output


def _credentials(cluster: Cluster, output: Output) -> Mapping[str, str]:
    if output.secret_ref is None or os.environ.get(ACCESS_KEY):
        return os.environ
    held = cluster.secret(output.secret_ref.name)
    others = {name: value for name, value in os.environ.items() if name not in NAMES}  # proxies, authorities
    return others | {name: os.fsdecode(held[name]) for name in NAMES if name in held}


def _reached(output: Output, endpoint: str | None) -> Output:
    if endpoint is None:
        return output
    try:
        return output.model_copy(update={"endpoint": check_endpoint(endpoint)})
    except InputError as error:
        raise InputError("--endpoint", error.problem) from None


def _entry(held: Mapping[str, bytes], key: str) -> bytes:
    if key not in held:
        raise InputError("output.caSecretRef", f"the Secret has no key '{key}'; give the one with the certificate")
    return held[key]
