"""Base classes of the errors that end a command: bad input, and something unavailable."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar, Final

from synth_api.reasons import FailureReason

if TYPE_CHECKING:
    from collections.abc import Iterable


_MAX_NAMES: Final = 8


class InputError(ValueError):
    """Bad input: one sentence that names the path, the value and what would be right. Ends a command with exit code 2.

    `path` is the dotted key (`synth_chain.feature_generation_steps[5].gravity[2]`), a file or an argument.
    """

    reason: ClassVar[FailureReason] = FailureReason.INPUT_FAILED

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        """Return what another process makes the error of: without this it would break a pool of processes."""
        return InputError, (self.path, self.problem)


class TryAgainError(RuntimeError):
    """A store, a document or a cluster is unavailable or damaged.

    The same call may succeed later. Ends a command with exit code 75.
    """


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the closest of `known`, else the list of them, or the eight most similar of many.

    Case is ignored.
    """
    names = sorted(known)
    folded = {one.casefold(): one for one in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    if len(names) > _MAX_NAMES:
        similar = sorted(folded[one] for one in get_close_matches(name.casefold(), folded, n=_MAX_NAMES, cutoff=0.0))
        return f"some of the {len(names)} known are {', '.join(similar)}"
    return f"known are {', '.join(names)}" if names else "there are none"
