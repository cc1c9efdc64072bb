"""Verification of what a word names: an export, or the datasets of a folder, a bucket or a sweep."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_cli.local.verification_report import VerificationReport
from synth_cli.terminal.consoles import open_stderr, open_stdout
from synth_cli.terminal.progress import QUIET_SECONDS, open_meter
from synth_cli.terminal.standard_streams import print_line
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.store.shard_repair import restore_indexes
from synth_dataset.verification.dataset_check import check_dataset
from synth_dataset.verification.export_check import (
    check_export,
    count_files,
    find_version_folder,
    is_export,
    read_version,
)
from synth_dataset.verification.fault import Checked, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import ExitStack

    from synth_cli.cluster.dataset_arguments import DatasetOpener
    from synth_cli.local.verification_options import VerificationOptions
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.store.base import Store


def verify_word(
    stack: ExitStack, word: str, opener: DatasetOpener, options: VerificationOptions, form: str
) -> ExitCode:
    """Verify and print the reports as text or JSON; return 1 if there is a fault. Raises InputError, StoreError."""
    reports = []
    for report in _iterate_reports(stack, word, opener, options):
        report.finish()
        reports.append(report)
        if form == "text":
            report.print(open_stdout())
    has_faults = any(report.fault_count for report in reports)
    if form == "json":
        document = {"faultless": not has_faults, "datasets": [report.to_json() for report in reports]}
        print_line(json.dumps(document, indent=2))
    return ExitCode.DIFFERENT if has_faults else ExitCode.OK


def _iterate_reports(
    stack: ExitStack, word: str, opener: DatasetOpener, options: VerificationOptions
) -> Iterator[VerificationReport]:
    store = opener.open_store(word)
    if store is not None and is_export(store):
        if options.needs_dataset:
            problem = f"{store.location} is an export, which renders nothing; give the dataset that it was made from"
            raise InputError(options.needs_dataset, problem)
        yield from _verify_exports(store, word, opener, options)
        return
    try:
        for source in opener.open(stack, word):
            yield _verify_dataset(source, options)
    except DocumentError as error:
        report = VerificationReport(word, word)
        report.add(Checked((_to_fault(error),), 1))
        yield report


def _to_fault(error: DocumentError) -> Fault:
    """Return the fault of a document without which nothing else can be looked at."""
    address, _, rest = str(error).partition(": ")
    problem, _, remedy = rest.partition("; ")
    return Fault(address, "a document of a dataset", f"one that cannot be read ({problem})", remedy)


def _verify_exports(
    store: Store, word: str, opener: DatasetOpener, options: VerificationOptions
) -> Iterator[VerificationReport]:
    """Yield the report of an export, or of each one of a version."""
    version = read_version(store)
    if version is None:
        yield _verify_export(store, options)
        return
    address = "/".join(filter(None, (word.rstrip("/"), find_version_folder(store, version))))
    for export in version.exports:
        place = opener.open_store(f"{address}/{check_stored_path(export.folder)}")
        if place is not None:
            yield _verify_export(place, options, export.checksums)


def _verify_export(store: Store, options: VerificationOptions, checksums: str | None = None) -> VerificationReport:
    report = VerificationReport(store.location, store.location, thing="file")
    total = math.ceil(count_files(store) * options.depth.share)
    _add_all(report, check_export(store, options.depth, checksums), total)
    return report


def _verify_dataset(source: DatasetSource, options: VerificationOptions) -> VerificationReport:
    restored = restore_indexes(source.store) if options.repair else {}
    report = _check_source(source, options)
    for path, is_written in restored.items():
        done = "was written again from its tar file" if is_written else "was removed, its tar file is damaged too"
        report.notes.append(f"{source.store.format_uri(path)}: this index of a shard {done}")
    if options.rerender:
        from synth_cli.local.repair import rerender_runs

        rerender_runs(source, options.rerender, options.engine, report)
    return _repair(source, options, report) if options.repair and report.fault_count else report


def _repair(source: DatasetSource, options: VerificationOptions, found: VerificationReport) -> VerificationReport:
    """Repair a dataset; return the report of another verification, with what was repaired."""
    from synth_cli.local.repair import repair_dataset

    if not repair_dataset(source, options.engine, found):
        return found
    dataset = find_dataset(source.store, source.dataset.namespace, source.dataset.name)
    report = _check_source(replace(source, dataset=dataset or source.dataset), options)
    report.add_repair(found)
    return report


def _check_source(source: DatasetSource, options: VerificationOptions) -> VerificationReport:
    report = VerificationReport(source.dataset.name, source.store.location)
    total = math.ceil(source.dataset.runs * options.depth.share)
    _add_all(report, check_dataset(source, options.depth), total)
    return report


def _add_all(report: VerificationReport, outcomes: Iterable[Checked], total: int) -> None:
    with open_meter(open_stderr(), "verifying", total, report.thing, QUIET_SECONDS) as meter:
        for checked in outcomes:
            report.add(checked)
            if advance := checked.run is not None if report.thing == "run" else checked.files:
                meter.advance(advance)
