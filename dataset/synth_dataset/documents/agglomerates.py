"""Agglomerates of a picture: each has the union of the masks of its primary particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dataset.documents.rle import find_box, join_masks, measure_area

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_dataset.documents.rle import Rle


@dataclass(frozen=True)
class AgglomerateMasks:
    """Agglomerate with at least one labelled particle: its number, from 1, and its masks."""

    number: int
    particles: tuple[int, ...]
    """Ids of its labelled particles, ascending."""
    visible: Rle
    amodal: Rle
    box: tuple[int, int, int, int]
    """Left, top, width, height of the visible mask, px."""
    area: int
    """Of the visible mask, px."""
    amodal_area: int

    @property
    def visible_fraction(self) -> float:
        """Area of the visible mask over that of the amodal one."""
        return self.area / self.amodal_area


def join_agglomerates(particles: Iterable[Mapping[str, Any]]) -> list[AgglomerateMasks]:
    """Return the agglomerates of the particles of `annotations.json`, in the order of their numbers."""
    members: dict[int, list[Mapping[str, Any]]] = {}
    for particle in particles:
        if "agglomerate" in particle:
            members.setdefault(particle["agglomerate"], []).append(particle)
    return [_join(number, members[number]) for number in sorted(members)]


def _join(number: int, members: list[Mapping[str, Any]]) -> AgglomerateMasks:
    visible, amodal = (join_masks([member[kind] for member in members]) for kind in ("visible", "amodal"))
    return AgglomerateMasks(
        number=number,
        particles=tuple(sorted(member["id"] for member in members)),
        visible=visible,
        amodal=amodal,
        box=find_box(visible),
        area=measure_area(visible),
        amodal_area=measure_area(amodal),
    )
