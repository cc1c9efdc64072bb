"""Splits of a dataset, such as train and test: the split of a run by its seed, by an axis, or by rules.

Runs of one seed with other values of other axes are near copies. They belong to one split, because the hash is over the
seed alone: a seed keeps its split whatever else the sweep has, and when the sweep grows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError, suggest_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_SPLIT: Final = "train"
"""The split of all runs without `--split`; the name that loaders of Hugging Face take by default."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHARE: Final = re.compile(r"\d{0,9}\.?\d{1,9}|\d{1,9}/\d{1,9}")
_NUMBER: Final = re.compile(r"[-+]?(\d{1,15}|(\d{1,15}\.?\d{0,17}|\.\d{1,17})([eE][-+]?\d{1,2})?)")
_HASH_BITS: Final = 64
_EXAMPLE: Final = "train=0.8,val=0.1,test=0.1"


@dataclass(frozen=True)
class Share:
    """Split with its share of all seeds, greater than 0."""

    split: str
    share: Fraction


@dataclass(frozen=True)
class SplitRule:
    """Runs whose `axis` has one of `values` belong to `split`, whatever their seed."""

    axis: str
    values: tuple[Any, ...]
    split: str


@dataclass(frozen=True)
class Splits:
    """Shares in their order, which sum to 1, and the rules that come before them."""

    shares: tuple[Share, ...] = (Share(DEFAULT_SPLIT, Fraction(1)),)
    salt: str = ""
    """Text that is hashed with the seed; another salt gives another split."""
    group: str | None = None
    """Axis whose value is hashed in place of the seed."""
    rules: tuple[SplitRule, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the splits: those of the shares in their order, then those that only rules have."""
        return tuple(dict.fromkeys([*(share.split for share in self.shares), *(rule.split for rule in self.rules)]))

    @property
    def axes(self) -> tuple[str, ...]:
        """Paths of the axes that the split of a run depends on."""
        return tuple(dict.fromkeys([rule.axis for rule in self.rules] + ([self.group] if self.group else [])))

    def find_split(self, seed: int, values: Mapping[str, Any]) -> str:
        """Return the split of a run from its seed and its axis values by path; the first rule that holds decides.

        Shares lie one after the other in code-point order of their names, in whatever order they were written.
        A run without the axis `group` (of another sweep of a joined dataset) goes by its seed.
        """
        for rule in self.rules:
            if rule.axis in values and _is_among(values[rule.axis], rule.values):
                return rule.split
        hashed = values.get(self.group, seed) if self.group else seed
        place = _compute_place(self.salt, hashed)
        shares = sorted(self.shares, key=lambda share: share.split)
        ends = accumulate(share.share for share in shares)
        return next(share.split for share, end in zip(shares, ends, strict=True) if place < end)


def parse_shares(text: str, option: str = "--split") -> tuple[Share, ...]:
    """Parse `train=0.8,val=0.1,test=0.1`; a share may be a fraction, `1/3`.

    Raises InputError for a wrong name or share, a name twice, and shares that do not sum to 1.
    """
    pairs = [word.strip().partition("=") for word in text.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise InputError(option, f"'{text}' has no share for each split; write for example {_EXAMPLE}")
    return build_shares(((name.strip(), share.strip()) for name, _, share in pairs), option)


def build_shares(pairs: Iterable[tuple[str, float | str]], option: str = "split") -> tuple[Share, ...]:
    """Return the shares of (name, share) pairs. Raises InputError as `parse_shares`."""
    shares = tuple(Share(check_split_name(name, option), _parse_share(share, option)) for name, share in pairs)
    names = [share.split for share in shares]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InputError(option, f"the split '{repeated}' is there twice; give each split once")
    total = sum((share.share for share in shares), Fraction())
    if total != 1:
        raise InputError(option, f"the shares sum to {_format_share(total)}; make them sum to 1, such as {_EXAMPLE}")
    return shares


def parse_rule(text: str, option: str = "--split-by") -> SplitRule:
    """Parse `AXIS=VALUE,VALUE…:SPLIT`. Raises InputError."""
    assignment, colon, split = text.rpartition(":")
    axis, equals, values = assignment.partition("=")
    if not (colon and equals and axis.strip() and values.strip()):
        problem = f"'{text}' is not AXIS=VALUES:SPLIT; write for example number=200,300:test"
        raise InputError(option, problem)
    parsed = tuple(parse_scalar(value) for value in values.split(","))
    return SplitRule(axis.strip(), parsed, check_split_name(split.strip(), option))


def parse_scalar(text: str) -> int | float | bool | str:
    """Return a word as an axis has it: a whole number, a number, true or false, else text without its quotes."""
    word = text.strip()
    if word in ("true", "false"):
        return word == "true"
    if _NUMBER.fullmatch(word):
        return float(word) if set(word) & set(".eE") else int(word)
    quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\""
    return word[1:-1] if quoted else word


def find_column(name: str, columns: Iterable[str], option: str) -> str:
    """Return the column that a user means: its whole name, or the end of one dotted path, `number` for `….number`.

    Raises InputError if no column or more than one fits.
    """
    known = list(columns)
    if name in known:
        return name
    found = [column for column in known if column.endswith(f".{name}")]
    if not found:
        short = {column.rpartition(".")[2] for column in known}
        raise InputError(option, f"there is no axis or column '{name}'; {suggest_name(name, short)}")
    if len(found) > 1:
        raise InputError(option, f"'{name}' is {' or '.join(found)}; write more of the path")
    return found[0]


def check_split_name(name: str, option: str) -> str:
    """Return a name of a split, which folders and files of an export have. Raises InputError."""
    if not _NAME.fullmatch(name) or name == "all":
        problem = "use lower-case letters, digits and '_', a letter first, at most 32; 'all' is taken by loaders"
        raise InputError(option, f"'{name[:40]}' cannot be the name of a split: {problem}")
    return name


def _parse_share(share: float | str, option: str) -> Fraction:
    text = str(share)
    if not _SHARE.fullmatch(text) or text.endswith("/0"):
        raise InputError(option, f"'{text[:40]}' is not a share; write a number such as 0.1, or 1/10")
    parsed = Fraction(text)
    if parsed <= 0:
        raise InputError(option, "a share must be greater than 0; leave the split out")
    return parsed


def _format_share(share: Fraction) -> str:
    return f"{float(share):g}" if float(share) != 1 else str(share)


def _is_among(value: Any, values: tuple[Any, ...]) -> bool:
    return canonical_json(value) in {canonical_json(one) for one in values}


def _compute_place(salt: str, value: Any) -> Fraction:
    """Return the place of a value in [0, 1): the first 8 bytes of the sha256 over the canonical JSON of both."""
    digest = sha256(canonical_json([salt, value])).digest()
    return Fraction(int.from_bytes(digest[: _HASH_BITS // 8]), 2**_HASH_BITS)
