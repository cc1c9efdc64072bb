"""Small datasets with discs that hide each other, committed as a render does, but without a renderer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_api.dataset_card import DatasetCard
from synth_api.recipe.categories import ParticleCategory
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.dataset_source import DatasetSource, open_source
from synth_dataset.attempts.render_call import OtherRuns, begin_call
from synth_dataset.documents.annotations import Annotation, CentreLineNote, build_annotations
from synth_dataset.documents.keypoints import KEYPOINTS
from synth_dataset.documents.particle_table import COLUMNS, build_particle_table, write_table
from synth_dataset.documents.pictures import write_png, write_webp
from synth_dataset.documents.rle import encode_mask
from synth_dataset.documents.run_manifest import RunRecord
from synth_dataset.store.base import Store
from synth_dataset.store.packing import pack_runs

SEED = "initial_runtime_state.seed"
NUMBER = "blueprints.particles.Bead.number"
WIDTH, HEIGHT = 60, 40
FIBRE = "Fibre"
"""Blueprint whose discs have a line along a row as their centre line."""
DTYPES = {"bool": np.bool_, "int32": np.int32, "int64": np.int64, "string": np.object_}
STEPS = [
    {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": mode} for mode in ("real", "depth_map")
]  # fmt: skip


@dataclass(frozen=True)
class DiscAxis:
    path: str
    values: tuple[Any, ...]
    zipped: bool = False


@dataclass(frozen=True)
class DiscSweep:
    """Runs of each seed with each number of particles."""

    name: str = "discs"
    seeds: tuple[int, ...] = (0, 1, 2)
    numbers: tuple[int, ...] = (0, 4)
    particle_blueprints: tuple[str, ...] = ("Bead", "Flake")
    card: DatasetCard = DatasetCard()  # noqa: RUF009
    base: dict[str, Any] | None = None
    labels: int = 0
    """Another number gives the same runs other labels."""
    supercategory: str = "particle"
    overlap: bool = False
    """True if discs shine through."""
    agglomerates: bool = False
    """True if discs of three successive ids, from 1, are an agglomerate, and the last one of all is in none."""

    @property
    def axes(self) -> tuple[DiscAxis, ...]:
        return (DiscAxis(SEED, self.seeds), DiscAxis(NUMBER, self.numbers))

    @property
    def categories(self) -> tuple[ParticleCategory, ...]:
        particles = [
            ParticleCategory(name, self.supercategory, (name,), (name,) if name == FIBRE else ())
            for name in self.particle_blueprints
        ]
        of_agglomerates = ParticleCategory("agglomerate", "agglomerate", (), agglomerates=True)
        return (*particles, of_agglomerates) if self.agglomerates else tuple(particles)

    def points(self) -> list[tuple[int, int]]:
        return list(product(self.seeds, self.numbers))

    def key(self, seed: int, number: int) -> str:
        return sha256(f"{seed} {number} {self.particle_blueprints}".encode()).hexdigest()

    def keys(self):
        return (bytes.fromhex(self.key(*point)) for point in self.points())

    def describe_run(self, run: int) -> str:
        return str(self.points()[run])

    def plan(self) -> str:
        return sha256(repr(self).encode()).hexdigest()


def draw_discs(seed: int, number: int) -> dict[int, NDArray[np.bool_]]:
    """Whole silhouettes (H, W) by id; a later one hides those before."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return {
        disc: np.hypot(x - rng.uniform(0, WIDTH), y - rng.uniform(0, HEIGHT)) < rng.uniform(4, 9)
        for disc in range(1, number + 1)
    }


def stack_discs(discs: dict[int, NDArray[np.bool_]]) -> NDArray[np.uint16]:
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    for disc, inside in discs.items():
        ids[inside] = disc
    return ids


def annotate_whole(discs: dict[int, NDArray[np.bool_]], kinds: Sequence[str]) -> list[Annotation]:
    """Annotations of discs that shine through."""
    found = []
    for number, inside in discs.items():
        rows, columns = np.nonzero(inside)
        if not len(rows):
            continue
        mask = np.flatnonzero(inside).astype(np.int32)
        found.append(
            Annotation(
                id=number,
                blueprint=kinds[number % len(kinds)],
                visible=mask,
                amodal=mask,
                box=(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1),
                occluded_by=(),
                overlaps=tuple(other for other in discs if other != number and (discs[other] & inside).any()),
            )
        )
    return found


def draw_line(inside: NDArray[np.bool_]) -> CentreLineNote:
    """The line along the first row of a mask, its last point hidden."""
    rows, columns = np.nonzero(inside)
    row, (left, right) = (
        int(rows.min()),
        (int(columns[rows == rows.min()].min()), int(columns[rows == rows.min()].max())),
    )
    places = np.linspace(left + 0.5, right + 0.5, KEYPOINTS).round(3).tolist()
    points = tuple((column, row + 0.5, 2 if number < KEYPOINTS - 1 else 1) for number, column in enumerate(places))
    return CentreLineNote(points, width=1.0, length=float(right - left))


def annotate(ids: NDArray[np.uint16], discs: dict[int, NDArray[np.bool_]], kinds: Sequence[str]) -> list[Annotation]:
    found = []
    for number in np.unique(ids[ids > 0]).tolist():
        rows, columns = np.nonzero(ids == number)
        amodal = discs[number]
        found.append(
            Annotation(
                id=number,
                blueprint=kinds[number % len(kinds)],
                visible=np.flatnonzero(ids == number).astype(np.int32),
                amodal=np.flatnonzero(amodal).astype(np.int32),
                box=(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1),
                occluded_by=tuple(int(other) for other in np.unique(ids[amodal]) if other > number),
                centre_line=draw_line(ids == number) if kinds[number % len(kinds)] == FIBRE else None,
            )
        )
    return found


def tabulate(
    kinds: Sequence[str],
    ids_of_pixels: NDArray[np.uint16],
    number: int,
    areas: NDArray[np.int64] | None = None,
    *,
    agglomerates: bool = False,
) -> Any:
    """`areas` are those of the whole masks of discs that shine through."""
    columns = {}
    for name, (kind, _, _) in COLUMNS.items():
        columns[name] = (np.zeros(number, DTYPES.get(str(kind), np.float64)), np.ones(number, np.bool_))
    ids = np.arange(1, number + 1, dtype=np.int32)
    columns["id"] = (ids, np.ones(number, np.bool_))
    columns["visible_px"] = (np.bincount(ids_of_pixels.ravel(), minlength=number + 1)[1:], np.ones(number, np.bool_))
    if areas is not None:
        columns["nearest_px"] = columns["visible_px"]
        columns["visible_px"] = (areas, np.ones(number, np.bool_))
    if agglomerates:
        of_discs = np.array([find_agglomerate(one, number) or 0 for one in ids.tolist()], np.int32)
        columns["agglomerate"] = (of_discs, of_discs > 0)
    columns["name"] = (np.array([f"disc{one}" for one in ids], object), np.ones(number, np.bool_))
    columns["blueprint"] = (np.array([kinds[one % len(kinds)] for one in ids], object), np.ones(number, np.bool_))
    return build_particle_table(columns, {}, {})


def find_agglomerate(disc: int, discs: int) -> int | None:
    return None if disc == discs else 1 + (disc - 1) // 3


def write_run(
    folder: Path,
    ids: NDArray[np.uint16],
    discs: dict[int, NDArray[np.bool_]],
    kinds: Sequence[str],
    *,
    overlap: bool = False,
    agglomerates: bool = False,
) -> int:
    """Write the files of a run; return the number of its visible particles."""
    notes = annotate_whole(discs, kinds) if overlap else annotate(ids, discs, kinds)
    if agglomerates:
        notes = [replace(note, agglomerate=find_agglomerate(note.id, len(discs))) for note in notes]
        numbers = [0, *(find_agglomerate(disc, len(discs)) or 0 for disc in discs)]
        write_png(folder / "agglomerates.png", np.array(numbers, np.uint16)[ids])
    write_png(folder / "real.png", (ids % 7 * 30).astype(np.uint8))
    write_png(folder / "depth_map.png", ids)
    write_png(folder / "instances.png", ids)
    write_webp(folder / "thumb.webp", np.zeros((8, 8), np.uint8))
    height, width = ids.shape
    (folder / "annotations.json").write_text(json.dumps(build_annotations(notes, width, height)))
    areas = np.array([disc.sum() for disc in discs.values()], np.int64) if overlap else None
    write_table(folder / "particles.parquet", tabulate(kinds, ids, len(discs), areas, agglomerates=agglomerates))
    return len(notes)


def record_run(sweep: DiscSweep, seed: int, number: int, visible: int, size: tuple[int, int]) -> RunRecord:
    """The record of a run; `size` is (width, height)."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return RunRecord(
        key=sweep.key(seed, number),
        engine_version=1,
        recipe={"blueprints": {"particles": {}}, "synth_chain": {"rendering_steps": STEPS}},
        overrides={SEED: seed, NUMBER: number},
        seed=seed,
        versions={"python": "3.11"},
        processor="x86-64",
        device="cpu",
        seconds={"labels": 0.5},
        width=size[0],
        height=size[1],
        pixel_size=0.1,
        depth_range=(1.0, 2.0),
        particles=number,
        visible=visible,
        label_digest=f"{sweep.labels:064x}",
        started=now,
        finished=now,
    )


def render_discs(store: Store, sweep: DiscSweep, others: OtherRuns = OtherRuns.REFUSE) -> DatasetSource:
    """Render a sweep of discs into a store; return its dataset."""
    call = begin_call(store, sweep, others=others)
    for seed, number in sweep.points():
        key = sweep.key(seed, number)
        if store.has_run(key):
            continue
        discs = draw_discs(seed, number)
        with store.open_scratch(key) as folder:
            visible = write_run(
                folder,
                stack_discs(discs),
                discs,
                sweep.particle_blueprints,
                overlap=sweep.overlap,
                agglomerates=sweep.agglomerates,
            )
            if sweep.labels:
                (folder / "depth_map.png").write_bytes((folder / "instances.png").read_bytes() + b"\0")
            store.commit_run(folder, record_run(sweep, seed, number, visible, (WIDTH, HEIGHT)))
    return open_source(store, commit_dataset(store, call.attempt, []))


def pack_discs(source: DatasetSource, share: float = 1.0) -> DatasetSource:
    """Pack a share of the runs of a store, the first ones by key; return the source as another process opens it."""
    keys = sorted(source.store.iterate_keys())
    plain = sorted(source.store.iterate_plain_keys())
    pack_runs(source.store, source.store, plain[: round(share * len(keys))])
    again = copy(source.store)
    again.__dict__.pop("shards", None)
    return replace(source, store=again)


def render_big_picture(store: Store, number: int = 65535) -> DatasetSource:
    """Render one run of so many particles of 2 x 2 px; 65,535 are as many as 16 bits can tell apart."""
    size = 4 * int(np.ceil(np.sqrt(number)))
    y, x = (4 * place for place in np.divmod(np.arange(number), size // 4))
    ids = np.zeros((size, size), np.uint16)
    particles = []
    for one, (top, left) in enumerate(zip(y.tolist(), x.tolist(), strict=True), start=1):
        ids[top : top + 2, left : left + 2] = one
        corner = top * size + left
        mask = encode_mask(np.array([corner, corner + 1, corner + size, corner + size + 1], np.int32), size, size)
        particles.append(
            {"id": one, "category": "Bead", "bbox": [left, top, 2, 2], "area": 4, "amodal_area": 4}
            | {"visible_fraction": 1.0, "occluded_by": [], "visible": mask, "amodal": mask}
        )
    sweep = DiscSweep("big", (0,), (number,), ("Bead",))
    call = begin_call(store, sweep)
    with store.open_scratch("big") as folder:
        write_png(folder / "real.png", (ids % 251).astype(np.uint8))
        write_png(folder / "instances.png", ids)
        (folder / "annotations.json").write_text(json.dumps({"width": size, "height": size, "particles": particles}))
        write_table(folder / "particles.parquet", tabulate(("Bead",), ids, number))
        store.commit_run(folder, record_run(sweep, 0, number, number, (size, size)))
    return open_source(store, commit_dataset(store, call.attempt, [], ()))
