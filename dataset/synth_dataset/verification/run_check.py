"""Check of one run: manifest against index, files against manifest, and its labels against each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.verification.dataset_index import compare_row
from synth_dataset.verification.fault import (
    DOCUMENT_REMEDY,
    NOTHING,
    RECIPE_REMEDY,
    Checked,
    Fault,
    explain_remedy,
    shorten_digest,
    shorten_error,
)
from synth_dataset.verification.label_files import UnreadableError, read_labels
from synth_dataset.verification.run_labels import compare_labels
from synth_dataset.verification.shard_check import ShardCheck
from synth_dataset.verification.stored_files import check_file, compute_digest, describe_size, format_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store
    from synth_dataset.verification.depth import Depth
    from synth_dataset.verification.label_files import RunLabels


@dataclass(frozen=True)
class CheckedRun:
    """Outcome of the check of a run; `labels` only of a deep one whose files can be read."""

    number: int
    checked: Checked
    manifest: Manifest | None = None
    labels: RunLabels | None = None


@dataclass(frozen=True)
class RunChecker:
    """Checks runs of a store, in several threads."""

    store: Store
    depth: Depth
    index: str
    """Address of the index whose rows are given."""
    is_index_intact: bool
    """False if a row that differs from its manifest is the index' fault."""
    shards: ShardCheck = field(default_factory=ShardCheck)
    recipes: set[str] = field(default_factory=set)
    """Hashes of the stored recipes that were looked at."""
    lock: Lock = field(default_factory=Lock)

    def check(self, row: dict[str, Any]) -> CheckedRun:
        """Check the run of a row of the index. Raises StoreError."""
        number, key = row["run"], row["key"]
        address = format_place(self.store, layout.manifest_path(key))
        problem = NOTHING
        try:
            manifest = self.store.read_manifest(key)
            for file in manifest.files:
                check_stored_path(file.path)
        except KeyError:
            manifest = None
        except OSError as error:
            manifest, problem = None, f"one that cannot be read ({error.strerror})"
        except DocumentError as error:
            manifest, problem = None, f"one that cannot be read ({shorten_error(error, address)})"
        if manifest is None:
            lost = Fault(address, f"the manifest of run {number}", problem, explain_remedy(number), number)
            fault = (self.shards.find_fault(number, key) if problem == NOTHING else None) or lost
            return CheckedRun(number, Checked((fault,), 1, run=number))
        faults = [*self._check_manifest(number, manifest, row, address), *self._check_recipe(manifest)]
        files = list(self._check_files(number, manifest))
        faults += [fault for each in files for fault in each.faults]
        labels = None
        if self.depth.labels and not any(each.faults for each in files):
            labels, problems = self._check_labels(number, manifest)
            faults += problems
        read = sum(each.bytes for each in files)
        return CheckedRun(number, Checked(tuple(faults), 1 + len(files), read, number), manifest, labels)

    def _check_manifest(self, run: int, manifest: Manifest, row: dict[str, Any], address: str) -> Iterator[Fault]:
        """Yield faults in the list of files, and where manifest and row of the index differ."""
        content = layout.compute_content_id((file.path, file.sha256) for file in manifest.files)
        if content != manifest.c8:
            yield Fault(address, f"files with the content id {manifest.c8}", content, explain_remedy(run), run)
        for name, listed, own in compare_row(row, manifest):
            if self.is_index_intact:
                yield Fault(address, f"{name} {listed}, as in the index", str(own), explain_remedy(run), run)
            else:
                yield Fault(self.index, f"{name} {own} of run {run}, as in its manifest", str(listed), DOCUMENT_REMEDY)

    def _check_recipe(self, manifest: Manifest) -> Iterator[Fault]:
        """Yield the fault of the stored recipe, once for all its runs."""
        if isinstance(manifest.recipe, dict):
            return
        digest = manifest.recipe.sha256
        with self.lock:
            is_known = digest in self.recipes
            self.recipes.add(digest)
        if is_known:
            return
        try:
            _, digest_found = compute_digest(self.store, layout.recipe_path(digest))
            found = shorten_digest(digest_found)
        except FileNotFoundError:
            found = NOTHING
        if found != shorten_digest(digest):
            address = self.store.format_uri(layout.recipe_path(digest))
            yield Fault(address, f"a recipe with sha256 {shorten_digest(digest)}", found, RECIPE_REMEDY)

    def _check_files(self, run: int, manifest: Manifest) -> Iterator[Checked]:
        folder, remedy = layout.run_path(manifest.key, manifest.c8), explain_remedy(run)
        if self.depth.contents:
            for file in manifest.files:
                yield check_file(self.store, f"{folder}/{file.path}", file, remedy, run)
            return
        try:
            sizes = self.store.list_sizes(folder)
        except OSError as error:
            found = f"one that cannot be read ({error.strerror})"
            yield Checked((Fault(self.store.format_uri(folder), "a readable folder", found, remedy, run),), 1)
            return
        for file in manifest.files:
            size = sizes.get(file.path)
            address = format_place(self.store, f"{folder}/{file.path}")
            wrong = () if size == file.bytes else (describe_size(address, file.bytes, size, remedy, run),)
            yield Checked(wrong, 1)

    def _check_labels(self, run: int, manifest: Manifest) -> tuple[RunLabels | None, list[Fault]]:
        folder = layout.run_path(manifest.key, manifest.c8)
        try:
            labels = read_labels(self.store, manifest)
        except UnreadableError as error:
            address = format_place(self.store, f"{folder}/{error.file}")
            return None, [Fault(address, str(error), error.found, explain_remedy(run), run)]
        except FileNotFoundError as error:
            address = format_place(self.store, layout.manifest_path(manifest.key))
            name = str(error.filename).rpartition("/")[2]
            return None, [Fault(address, f"{name} among the files", NOTHING, explain_remedy(run), run)]
        return labels, list(compare_labels(self.store, run, manifest, labels))
