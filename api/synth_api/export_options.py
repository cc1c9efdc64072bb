"""Options of an export that `synth export` and SynthDataset share: formats, words, pictures and sizes."""

from __future__ import annotations

import re
from typing import Final, Literal

from synth_api.errors import InputError, suggest_name
from synth_api.modes import MODES

FormatName = Literal["coco", "yolo", "pairs", "webdataset", "huggingface"]
ClassWord = Literal["blueprint", "category", "one"]
Masks = Literal["polygon", "rle"]
Below = Literal["drop", "ignore"]
PairsLayout = Literal["cellpose", "stardist"]

FORMATS_WITHOUT_IGNORED: Final = ("yolo", "pairs")
"""Formats whose readers know no particles to ignore."""
FORMATS_WITHOUT_OVERLAP: Final = ("pairs",)
"""Formats in which a pixel has one particle."""
FORMATS_WITH_IDS: Final = ("pairs", "webdataset", "huggingface")
"""Formats with a picture of ids, whose pixels have the nearest of particles that overlap."""
OWN_OPTIONS: Final[dict[str, tuple[FormatName, ...]]] = {
    "masks": ("coco",),
    "boxes": ("yolo",),
    "layout": ("pairs",),
    "shardSize": ("webdataset", "huggingface"),
}
"""Options that change the bytes of some formats only, and those formats."""
_SHORT_MODES: Final = {"depth": "depth_map", "normals": "normal_map"}
PICTURES: Final = {
    **{name: name for name, mode in MODES.items() if mode.extension == "png" and name != "real"},
    **_SHORT_MODES,
}
"""Word for a picture beside the real image -> its rendering mode."""

DEFAULT_SHARD_BYTES: Final = 256 << 20
_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def parse_pictures(text: str, option: str = "--with") -> tuple[str, ...]:
    """Parse `depth,normals` into rendering modes. Raises InputError for an unknown one, and for the real image."""
    return tuple(dict.fromkeys(find_picture(word.strip(), option) for word in text.split(",")))


def find_picture(word: str, option: str = "") -> str:
    """Return the rendering mode of a word for a picture. Raises InputError."""
    if word not in PICTURES:
        raise InputError(option, f"there is no such picture '{word[:40]}'; {suggest_name(word, PICTURES)}")
    return PICTURES[word]


def parse_size(text: str, option: str = "--shard-size") -> int:
    """Parse `256Mi` or `1G` into bytes, at least 1 MiB. Raises InputError."""
    match = re.fullmatch(r"(\d{1,12})(K|M|G|Ki|Mi|Gi)?B?", text)
    size = int(match[1]) * _UNITS[match[2] or ""] if match else 0
    if size < 1 << 20:
        raise InputError(option, f"'{text[:40]}' is no size of at least 1Mi; write for example 256Mi")
    return size
