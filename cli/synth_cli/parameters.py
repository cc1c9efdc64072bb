"""Parameter types of options and arguments, each with its validation."""

from __future__ import annotations

import errno
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from typing_extensions import override

from synth_api.errors import InputError

if TYPE_CHECKING:
    from click import Context, Parameter

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_BUCKET: Final = (
    ". A bucket has the layout of a dataset folder: copy one to the other with an S3 client, "
    "or render on a cluster (synth manifest)"
)
PACKAGINGS: Final = ["files", "shards"]
"""How a store holds runs, as a sweep's spec names it."""
_MAX_SHOWN: Final = 76
"""Characters of an overlong path in a message."""
_HINTS: Final = {"--out": _BUCKET, "DATASET": _BUCKET}


class TextParameter(click.ParamType[Any]):
    """Text in UTF-8 that is not blank. Raises InputError that names the option."""

    name = "text"

    @override
    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Any:
        option = _name_parameter(param)
        if not value.strip():
            instead = " or leave the option out" if option.startswith("-") else ""
            raise InputError(option, f"the text is empty, perhaps from an unset variable; give a value{instead}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(option, f"'{value}' is not UTF-8; give it in UTF-8, or rename the file") from None
        return value


class PathParameter(TextParameter):
    """A path on this machine, with `~` expanded. Raises InputError that names the option."""

    name = "path"

    @override
    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Path:
        return (
            value if isinstance(value, Path) else parse_path(_name_parameter(param), super().convert(value, param, ctx))
        )


class FractionParameter(click.FloatRange):
    """A number from 0 to 1. NaN, which compares with nothing, is refused too."""

    @override
    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


class NamespaceParameter(TextParameter):
    """The name of a Kubernetes namespace. Raises InputError that names the option."""

    @override
    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> str:
        name: str = super().convert(value, param, ctx)
        if not _NAMESPACE.fullmatch(name):
            problem = "use lower-case letters, digits and '-' inside, at most 63"
            raise InputError(_name_parameter(param), f"'{name}' cannot be the name of a namespace; {problem}")
        return name


TEXT: Final = TextParameter()
PATH: Final = PathParameter()
FRACTION: Final = FractionParameter(0, 1)
NAMESPACE: Final = NamespaceParameter()


def parse_path(option: str, text: str) -> Path:
    """Return a text as a path, with `~` and `~user` expanded.

    Raises InputError for an address, an unknown user and a name that is too long.
    """
    if _ADDRESS.match(text):
        raise InputError(option, f"'{text}' is an address; give a path on this machine{_HINTS.get(option, '')}")
    path = Path(text)
    try:
        path = path.expanduser()
        path.lstat()
    except RuntimeError:
        if path.exists():
            return path
        first = path.parts[0]
        raise InputError(
            option, f"'{first}' is not the home folder of a user; write ./{text} if a name begins with ~"
        ) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(option, f"'{text[:_MAX_SHOWN]}…' is too long for a path; shorten it") from None
    return path


def _name_parameter(param: Parameter | None) -> str:
    """Return the name of a parameter as the user writes it: `--out`, `RECIPE`."""
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return param.human_readable_name if param else ""
