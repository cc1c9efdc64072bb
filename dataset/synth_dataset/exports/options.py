"""Options of an export, and the splits that it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from synth_api.export_options import DEFAULT_SHARD_BYTES
from synth_api.splits import Splits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.export_options import Below, ClassWord, FormatName, Masks, PairsLayout

Link = Literal["auto", "hard", "copy"]


@dataclass(frozen=True)
class ExportOptions:
    """What an export has. The bytes of its files depend on everything here but `link`."""

    format: FormatName
    splits: Splits = field(default_factory=Splits)
    where: str | None = None
    limit: int | None = None
    classes: ClassWord | Mapping[str, str | None] = "category"
    """A mapping gives each class of the dataset its class in the export; None leaves its particles out."""
    masks: Masks = "polygon"
    amodal: bool = False
    """True for masks, boxes and areas of whole silhouettes, hidden parts too."""
    boxes: bool = False
    min_visible: float = 0.0
    min_area: int = 0
    below: Below = "drop"
    pictures: tuple[str, ...] = ()
    """Rendering modes of the other pictures to export."""
    layout: PairsLayout = "cellpose"
    shard_bytes: int = DEFAULT_SHARD_BYTES
    link: Link = "auto"

    def describe(self) -> dict[str, Any]:
        """Return what the bytes of the export depend on, as JSON has it."""
        return {
            "format": self.format,
            "split": {share.split: str(share.share) for share in self.splits.shares},
            "salt": self.splits.salt,
            "group": self.splits.group,
            "split_by": [[rule.axis, list(rule.values), rule.split] for rule in self.splits.rules],
            "where": self.where,
            "limit": self.limit,
            "classes": self.classes if isinstance(self.classes, str) else dict(self.classes),
            "masks": self.masks,
            "amodal": self.amodal,
            "boxes": self.boxes,
            "min_visible": self.min_visible,
            "min_area": self.min_area,
            "below": self.below,
            "with": list(self.pictures),
            "layout": self.layout,
            "shard_bytes": self.shard_bytes,
        }
