"""Options of `synth export`, checked and put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import yaml

from synth_api.errors import InputError
from synth_api.export_options import DEFAULT_SHARD_BYTES, ClassWord, parse_pictures, parse_size
from synth_api.splits import Splits, parse_rule, parse_shares
from synth_dataset.exports.options import ExportOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def build_splits(split: str | None, salt: str, group: str | None, rules: Sequence[str]) -> Splits:
    """Return the splits of the options, without shares if none are given. Raises InputError."""
    shares = parse_shares(split) if split else ()
    return Splits(shares, salt, group, tuple(map(parse_rule, rules)))


def build_options(given: Mapping[str, Any]) -> ExportOptions:
    """Return the options of the parameters of the command. Raises InputError."""
    for option, least in (("limit", 1), ("min_area", 0)):
        if given[option] is not None and given[option] < least:
            raise InputError(f"--{option.replace('_', '-')}", f"must be at least {least}, not {given[option]}")
    if not 0 <= given["min_visible"] <= 1:
        raise InputError("--min-visible", f"must lie between 0 and 1, {given['min_visible']:g} does not")
    return ExportOptions(
        format=given["format_"],
        splits=build_splits(given["split"], given["salt"] or "", given["group"], given["split_by"]),
        where=given["where"],
        limit=given["limit"],
        classes=read_classes(given["classes"]),
        masks=given["masks"],
        amodal=given["amodal"],
        boxes=given["boxes"],
        min_visible=given["min_visible"],
        min_area=given["min_area"],
        below=given["below"],
        pictures=parse_pictures(given["with_"]) if given["with_"] else (),
        layout=given["layout"],
        shard_bytes=parse_size(given["shard_size"]) if given["shard_size"] else DEFAULT_SHARD_BYTES,
        link=given["link"],
    )


def read_classes(word: str) -> Any:
    """Return a word of `--classes`, or the mapping in the file that it names. Raises InputError."""
    from pathlib import Path

    words = get_args(ClassWord)
    if word in words:
        return word
    if Path(word).is_dir() or not Path(word).exists():
        raise InputError("--classes", f"'{word}' is neither a file nor one of {', '.join(words)}")
    return _read_mapping(Path(word))


def _read_mapping(path: Path) -> dict[str, str | None]:
    remedy = "write lines such as `WideSphere: particle`"
    problem = f"is no mapping of names to classes; {remedy}"
    try:
        mapping = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise InputError(str(path), problem) from None
    if not mapping:
        raise InputError(str(path), f"has no classes; {remedy}")
    is_mapping = isinstance(mapping, dict) and all(
        isinstance(name, str) and (kind is None or (isinstance(kind, str) and kind.strip()))
        for name, kind in mapping.items()
    )
    if not is_mapping:
        raise InputError(str(path), problem)
    return dict(mapping)
