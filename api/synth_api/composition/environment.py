"""`${oc.env:NAME}`: environment variables in the recipe files of a command, replaced when the files are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from synth_api.composition.yaml_file import load_text
from synth_api.errors import InputError
from synth_api.problems import format_location, quote_value

if TYPE_CHECKING:
    from collections.abc import Mapping

_CALL: Final = re.compile(r"\$\{\s*oc\.env\s*:\s*([A-Za-z_]\w*)\s*(?:,([^${}]*))?\}")
_DECODE_CALL: Final = re.compile(rf"\$\{{\s*oc\.decode\s*:\s*({_CALL.pattern})\s*\}}")
_ANY_CALL: Final = re.compile(r"\$\{\s*oc\.env\s*:")
_CREDENTIAL: Final = re.compile(
    r"AWS_|SECRET|TOKEN|PASSW|PASSPHRASE|KEY|CREDENTIAL|COOKIE|_PWD|(^|_)(AUTH|AUTHORIZATION|BEARER|CREDS?|PASS|PAT)(_|$)",
    re.IGNORECASE,
)
_PASSWORD_IN_ADDRESS: Final = re.compile(r"://[^/@]*@")
_MAX_VALUE: Final = 1024


def substitute_environment(
    root: str, value: Any, environment: Mapping[str, str], location: tuple[str | int, ...] = ()
) -> Any:
    """Return the value with environment variables substituted: `${oc.env:NAME}` and `${oc.env:NAME,default}` by text,
    `${oc.decode:${oc.env:…}}` by a number, bool or null.

    Raises InputError for variables that are not set, that have the name of a credential, or hold no plain text;
    `root` names the file.
    """
    if isinstance(value, dict):
        return {key: substitute_environment(root, item, environment, (*location, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute_environment(root, item, environment, (*location, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or not _ANY_CALL.search(value):
        return value
    where = f"{root}: {format_location(location)}"
    if decoded := _DECODE_CALL.fullmatch(value):
        return _decode_value(where, decoded[2], _read_variable(where, decoded[2], decoded[3], environment))
    replaced = _CALL.sub(lambda call: _read_variable(where, call[1], call[2], environment), value)
    if _ANY_CALL.search(replaced):
        raise InputError(
            where, f"{quote_value(value)} cannot be read; write ${{oc.env:NAME}} or ${{oc.env:NAME,default}}"
        )
    return replaced


def _read_variable(where: str, name: str, default: str | None, environment: Mapping[str, str]) -> str:
    if _CREDENTIAL.search(name):
        raise InputError(
            where, f"'{name}' is named like a credential, which a recipe would publish; use another variable"
        )
    if name not in environment:
        if default is None:
            raise InputError(where, f"the environment has no '{name}'; set it, or write ${{oc.env:{name},default}}")
        return default.strip().strip("'\"")
    value = environment[name]
    if _PASSWORD_IN_ADDRESS.search(value):
        raise InputError(
            where, f"'{name}' holds an address with a credential, which a recipe would publish; use another variable"
        )
    if len(value) > _MAX_VALUE or not value.isprintable() or set("$\\") & set(value):
        raise InputError(
            where,
            f"the environment's '{name}' must be at most {_MAX_VALUE:,} printable characters without '$' and '\\'; "
            "set it to a plain text",
        )
    return value


def _decode_value(where: str, name: str, value: str) -> Any:
    try:
        decoded = load_text(where, value)
    except InputError:
        raise
    except (yaml.YAMLError, ValueError):
        decoded = value
    if isinstance(decoded, dict | list):
        raise InputError(where, f"the environment's '{name}' must be a number, true, false, null or a text")
    return decoded
