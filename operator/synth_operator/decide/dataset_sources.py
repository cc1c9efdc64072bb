"""Sources of a dataset: the committed datasets of its sweeps, and the place that they agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.endpoints import split_endpoint
from synth_api.resources.synth_dataset import SourceDataset
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message
from synth_operator.manifests.permissions import find_account_problem, find_endpoint_problem

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.decide.dataset_context import DatasetContext
    from synth_operator.kube.dataset_object import DatasetObject
    from synth_operator.kube.sweep_object import SweepObject


def find_sources(context: DatasetContext) -> tuple[SourceDataset, ...] | Problem:
    """Return the committed datasets of all sources, or the first source that has none."""
    found: list[SourceDataset] = []
    for source in context.spec.sources:
        match _find_source(context, source.sweep_ref.name):
            case Problem() as problem:
                return problem
            case dataset:
                found.append(dataset)
    return tuple(found)


def choose_output(context: DatasetContext, sources: tuple[SourceDataset, ...]) -> Output | Problem:
    """Return the place of the dataset, or the problem that there is none or that its pods cannot read the sources.

    The pods have the credentials of one store, so sources and dataset differ in bucket and prefix only.
    """
    output = context.output or sources[0].output
    for source in sources:
        if context.output is None and source.output != output:
            return Problem(
                reason=Reason.OUTPUT_MISSING,
                message=f"spec.output is missing, and the sweeps '{sources[0].name}' and '{source.name}' have "
                "different outputs; name the place of the dataset.",
            )
        if _describe_access(source.output) != _describe_access(output):
            return Problem(
                reason=Reason.DATASET_INVALID,
                message=f"The sweep '{source.name}' lies in a store that is opened in another way than that of the "
                "dataset; take sweeps and an output with one endpoint and one secretRef or serviceAccountName.",
            )
    return find_forbidden_output(context.dataset.namespace, output, context.configuration) or output


def find_spec_problem(dataset: DatasetObject, configuration: Configuration) -> Problem | None:
    """Return what is wrong with the spec of a dataset, whatever its sweeps are; None if nothing is."""
    if dataset.problem:
        return Problem(reason=Reason.DATASET_INVALID, message=f"The dataset is invalid: {dataset.problem}.")
    output = dataset.spec.output
    return find_forbidden_output(dataset.namespace, output, configuration) if output else None


def find_forbidden_output(namespace: str, output: Output, configuration: Configuration) -> Problem | None:
    """Return what the configuration does not allow in an output, or None."""
    if output == configuration.find_output(namespace):
        return None
    refusal = find_endpoint_problem(output, configuration)
    if refusal:
        return Problem(reason=Reason.NOT_ALLOWED, message=f"spec.output.endpoint: {refusal}.")
    account = output.service_account_name
    if account and (refusal := find_account_problem(account, configuration)):
        return Problem(reason=Reason.NOT_ALLOWED, message=f"spec.output.serviceAccountName: {refusal}.")
    return None


def _find_source(context: DatasetContext, name: str) -> SourceDataset | Problem:
    sweep = context.observed.sweeps.get(name)
    if sweep is None:
        return Problem(
            reason=Reason.SOURCE_NOT_FOUND, message=f"There is no SynthSweep '{name}' in this namespace; apply one."
        )
    attempt, output = sweep.status.attempt, sweep.spec.output or context.configuration.find_output(sweep.namespace)
    if not _is_complete(sweep) or attempt is None or output is None:
        return Problem(reason=Reason.SOURCE_NOT_COMPLETE, message=_explain_incomplete(sweep))
    return SourceDataset(name=name, plan=sweep.status.plan, attempt=attempt.hash, output=output)


def _is_complete(sweep: SweepObject) -> bool:
    """Return True if the dataset of the sweep as it is written now is committed, without the runs that may fail."""
    is_current = sweep.status.observed_generation == sweep.generation and not sweep.deleting
    return is_current and sweep.status.phase is Phase.COMPLETE


def _explain_incomplete(sweep: SweepObject) -> str:
    if sweep.deleting:
        return f"The sweep '{sweep.name}' is being deleted; take it out of the sources."
    if sweep.status.phase is Phase.FAILED:
        return f"The sweep '{sweep.name}' has failed: {find_ready_message(sweep.status)}"
    return f"The sweep '{sweep.name}' is not complete yet."


def _describe_access(output: Output) -> tuple[object, ...]:
    """Return how a store is opened."""
    return (
        split_endpoint(output),
        output.region,
        output.insecure,
        output.secret_ref,
        output.ca_secret_ref,
        output.service_account_name,
    )
