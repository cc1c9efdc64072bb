"""Arguments DATASET of commands: a folder, an address `s3://BUCKET/PREFIX` or the name of a sweep on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_cli.cluster.sweep_names import is_sweep_name
from synth_cli.local.bucket_address import is_bucket_address, open_bucket
from synth_cli.parameters import parse_path
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.attempts.dataset_source import DatasetSource, find_source, open_source
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.export_check import is_export

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from synth_dataset.store.base import Store


@dataclass(frozen=True)
class DatasetOpener:
    """Opens the datasets of a word; the options of the command say which and where."""

    names: Sequence[str]
    """`--name`: datasets of a store that holds several; none is the only one."""
    endpoint: str | None
    namespace: str | None
    context: str | None

    def open(self, stack: ExitStack, word: str) -> Iterator[DatasetSource]:
        """Yield the committed datasets that a word names; their stores are open until `stack` closes.

        Raises InputError, StoreError, DocumentError.
        """
        store = self.open_store(word)
        if store is None:
            yield self._open_sweep(stack, word)
            return
        if is_export(store):
            problem = (
                "is an export or a version of a dataset, which this does not read; give the dataset it was made from"
            )
            raise InputError(store.location, problem)
        for name in self.names or (None,):
            yield find_source(store, name)

    def open_store(self, word: str) -> Store | None:
        """Return the store at an address or in a folder; None for the name of a sweep. Raises InputError."""
        if is_bucket_address(word):
            return open_bucket(word, self.endpoint, "DATASET")
        if is_sweep_name(word, self.namespace, self.context):
            return None
        return FolderStore(parse_path("DATASET", word))

    def _open_sweep(self, stack: ExitStack, name: str) -> DatasetSource:
        from synth_cli.cluster.connection import connect_for_sweep
        from synth_cli.cluster.store_access import open_sweep_store

        cluster = connect_for_sweep(name, self.context, self.namespace)
        sweep = cluster.read_sweep(name)
        store = stack.enter_context(open_sweep_store(cluster, sweep, self.endpoint))
        dataset = find_dataset(store, sweep.namespace, sweep.name)
        if dataset is None:
            phase = sweep.status.phase.value
            raise InputError(name, f"has no dataset yet, it is {phase}; call again when a dataset is committed")
        return open_source(store, dataset)
