"""SynthDataset: a versioned dataset of several sweeps, with its exports, as a custom resource."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from synth_api.canonical_json import canonical_json
from synth_api.dataset_card import Card, SplitShares
from synth_api.errors import InputError
from synth_api.export_options import (
    FORMATS_WITHOUT_IGNORED,
    FORMATS_WITHOUT_OVERLAP,
    OWN_OPTIONS,
    PICTURES,
    Below,
    ClassWord,
    FormatName,
    Masks,
    PairsLayout,
    find_picture,
)
from synth_api.resources.base import Part, Time
from synth_api.resources.conditions import Condition, Problem
from synth_api.resources.output import ObjectName, Output
from synth_api.resources.synth_sweep import DeletionPolicy
from synth_api.resources.text_formats import DATASET_VERSION, SHARD_SIZE
from synth_api.sentences import MAX_INTEGER
from synth_api.splits import Splits, build_shares, parse_rule

KIND: Final = "SynthDataset"
MAX_SOURCES: Final = 64
MAX_SPLITS: Final = 32
MAX_EXPORTS: Final = 5
_DIGEST: Final = "^[0-9a-f]{64}$"

Version = Annotated[
    str, AfterValidator(DATASET_VERSION.check), Field(json_schema_extra=DATASET_VERSION.to_json_schema())
]
"""Name of a version, which is a folder of the store."""
Digest = Annotated[str, Field(pattern=_DIGEST)]


def _check_rule(rule: str) -> str:
    parse_rule(rule, "")
    return rule


Picture = Annotated[str, AfterValidator(find_picture), Field(json_schema_extra={"enum": list(PICTURES)})]
ShardSize = Annotated[str, AfterValidator(SHARD_SIZE.check), Field(json_schema_extra=SHARD_SIZE.to_json_schema())]
ClassName = Annotated[str, Field(max_length=100)]


class SweepRef(Part):
    """A SynthSweep in the dataset's namespace."""

    name: ObjectName
    """Its name."""


class Source(Part):
    """Sweep whose dataset is a part of this one."""

    sweep_ref: SweepRef
    """The SynthSweep."""
    where: Annotated[str, Field(max_length=1024)] = ""
    """Only these runs, by axes and columns of the index, such as `number <= 300`; empty: all."""


class ExportSpec(Part):
    """An export: its format, and the options of `synth export`."""

    format: FormatName
    """Layout of the export."""
    classes: ClassWord | None = None
    """What a class is; `category` by default."""
    class_map: Annotated[dict[str, ClassName], Field(max_length=1000)] | None = None
    """Category -> class of the export, instead of `classes`; an empty class leaves its particles out."""
    masks: Masks | None = None
    """Form of the masks of coco; `polygon` by default."""
    amodal: bool = False
    """True for masks with the hidden parts."""
    boxes: bool = False
    """True for boxes instead of masks, in yolo."""
    min_visible: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Least visible share of a particle."""
    min_area: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Least area of a mask in pixels."""
    below: Below | None = None
    """What becomes of particles below these; `drop` by default."""
    pictures: Annotated[tuple[Picture, ...], Field(alias="with", max_length=len(PICTURES))] = ()
    """Other pictures of each run, such as `depth`."""
    layout: PairsLayout | None = None
    """Layout of pairs; `cellpose` by default."""
    shard_size: ShardSize | None = None
    """Size of a shard in Mi or Gi; `256Mi` by default."""
    limit: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Only the first runs, this many."""

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        given = self.model_dump(by_alias=True, exclude_defaults=True)
        for option, formats in OWN_OPTIONS.items():
            if given.get(option) and self.format not in formats:
                raise InputError("", explain_own_option(option))
        if self.below == "ignore" and self.format in FORMATS_WITHOUT_IGNORED:
            raise InputError("", NO_IGNORED)
        if self.amodal and self.format in FORMATS_WITHOUT_OVERLAP:
            raise InputError("", NO_OVERLAP)
        if self.classes and self.class_map:
            raise InputError("", ONE_CLASSIFICATION)
        return self


NO_IGNORED: Final = f"readers of {' and '.join(FORMATS_WITHOUT_IGNORED)} know no particles to ignore; take below: drop"
NO_OVERLAP: Final = (
    f"a pixel of {' and '.join(FORMATS_WITHOUT_OVERLAP)} has one particle; take amodal out, or another format"
)
ONE_CLASSIFICATION: Final = "classes and classMap exclude each other; take one of them out"
DISTINCT_SOURCES: Final = "a sweep is there twice; name each sweep once"
DISTINCT_FORMATS: Final = "a format is there twice, and both exports would have one folder; name each format once"
SHARES: Final = "the shares do not sum to 1; write shares that do, such as {train: 0.8, val: 0.1, test: 0.1}"


def explain_own_option(option: str) -> str:
    """Return why an option does not fit a format."""
    formats = OWN_OPTIONS[option]
    return f"{option} changes only {' and '.join(formats)}; take it out of exports of other formats"


def _check_sources(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    if len({source.sweep_ref.name for source in sources}) < len(sources):
        raise InputError("", DISTINCT_SOURCES)
    return sources


def _check_formats(exports: tuple[ExportSpec, ...]) -> tuple[ExportSpec, ...]:
    if len({export.format for export in exports}) < len(exports):
        raise InputError("", DISTINCT_FORMATS)
    return exports


class DatasetDefinition(Part):
    """What a version of a dataset is made from; it stays as it is once the version is published."""

    version: Version
    """Version of the dataset; another one is built beside those that are published."""
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=MAX_SOURCES), AfterValidator(_check_sources)]
    """Sweeps whose datasets are joined, each once."""
    split: SplitShares = Field(default={})
    """Split -> share of the seeds, summing to 1; by default that of the sweeps."""
    salt: Annotated[str, Field(max_length=200)] = ""
    """Another text gives another split."""
    group: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Axis whose value decides the split instead of the seed."""
    split_by: Annotated[
        tuple[Annotated[str, Field(max_length=1024), AfterValidator(_check_rule)], ...], Field(max_length=32)
    ] = ()
    """Runs that go to one split, AXIS=VALUES:SPLIT, such as `number=200,300:test`."""
    exports: Annotated[
        tuple[ExportSpec, ...], Field(min_length=1, max_length=MAX_EXPORTS), AfterValidator(_check_formats)
    ]
    """Exports, each with another format."""
    card: Card | None = None
    """What people say of the dataset; goes before what the sweeps say, key by key."""

    @property
    def splits(self) -> Splits:
        """Shares and rules of the splits; without shares if those of the sweeps hold."""
        shares = build_shares(self.split.items()) if self.split else ()
        return Splits(shares, self.salt, self.group, tuple(map(parse_rule, self.split_by)))

    def describe(self) -> dict[str, Any]:
        """Return the definition as plain JSON values, without fields that have their default value."""
        fields = set(DatasetDefinition.model_fields)
        return self.model_dump(mode="json", include=fields, exclude_defaults=True, exclude_none=True)

    @cached_property
    def digest(self) -> str:
        """sha256 of the definition, independent of the order of keys and of fields with their default value."""
        return sha256(canonical_json(self.describe())).hexdigest()


class DatasetSpec(DatasetDefinition):
    """Definition of a dataset, and how and where it is built."""

    parallelism: Annotated[int, Field(ge=1, le=1000)] = 4
    """Pods that export at a time; each has its share of the runs."""
    output: Output | None = None
    """Output of the dataset; without it the output of the sweeps, if they have the same one."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Fate of all versions in the store when the dataset is deleted."""

    @property
    def definition(self) -> DatasetDefinition:
        """Return the definition without how and where it is built."""
        return DatasetDefinition.model_construct(
            **{name: getattr(self, name) for name in DatasetDefinition.model_fields}
        )


class DatasetPhase(StrEnum):
    """One word for the PHASE column; conditions say more."""

    PENDING = "Pending"
    WAITING = "Waiting"
    EXPORTING = "Exporting"
    PUBLISHING = "Publishing"
    PUBLISHED = "Published"
    FAILED = "Failed"
    DELETING = "Deleting"


class SplitCount(Part):
    """Runs and objects of a split."""

    split: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,31}$")]
    """Its name."""
    runs: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    """Number of runs."""
    objects: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    """Number of objects in them, of the longest export."""


class ExportAddress(Part):
    """Address of a published export."""

    format: str
    """Its format."""
    address: str
    """URI of its folder."""


class SourceDataset(Part):
    """Committed dataset of a sweep, from which a version is built."""

    name: ObjectName
    """Name of the sweep."""
    plan: Digest
    """Hash of its plan."""
    attempt: Digest
    """Hash of the committed attempt."""
    output: Output
    """Place of the dataset."""


class BuildStatus(Part):
    """Build of a version: the one in progress, or the last one."""

    hash: Digest
    """sha256 that identifies the build."""
    version: str
    """The version."""
    definition: Digest
    """sha256 of the definition of the version."""
    sources: Annotated[tuple[SourceDataset, ...], Field(max_length=MAX_SOURCES)]
    """Datasets of the sources when the build began."""
    output: Output
    """Place of the version."""
    parts: Annotated[int, Field(ge=1)]
    """Completions of its export Job."""
    exported: bool = False
    """True once all parts are exported."""
    verdict: Problem | None = None
    """Reason why the build can never succeed, until the spec is edited."""


class DatasetStatus(Part):
    """Status of the dataset; its size is bounded, whatever the number of runs."""

    observed_generation: int = 0
    """Generation of the spec that this status belongs to."""
    phase: DatasetPhase = DatasetPhase.PENDING
    """One word."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8)] = ()
    """By type."""
    version: str = ""
    """The version that was published last; the following fields are of it."""
    definition: str = ""
    """sha256 of its definition."""
    runs: int | None = None
    """Number of its runs."""
    splits: Annotated[tuple[SplitCount, ...], Field(max_length=MAX_SPLITS)] = ()
    """Its splits with their counts."""
    split_runs: str = ""
    """Runs by split, for the SPLITS column: `train 80, val 10, test 10`."""
    root: str = ""
    """sha256 of its runs and their labels."""
    exports: Annotated[tuple[ExportAddress, ...], Field(max_length=MAX_EXPORTS)] = ()
    """Its exports."""
    formats: str = ""
    """Formats of its exports, for the EXPORTS column: `coco,webdataset`."""
    dataset: str = ""
    """URI of its dataset.json."""
    publication_time: Time | None = None
    """When it was published."""
    waiting_since: Time | None = None
    """Time since which the dataset waits for the cause that `Ready` names; the interval between tries doubles."""
    build: BuildStatus | None = None
    """Build in progress, or the last one."""

    @property
    def attempt_hash(self) -> str:
        """Hash of the build, which its Jobs are labelled with; empty before the first one."""
        return self.build.hash if self.build else ""
