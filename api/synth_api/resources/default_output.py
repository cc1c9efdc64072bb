"""Default output of an installation: each namespace has its own folder, unless the installation says otherwise."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from synth_api.resources.output import ObjectName, Output, Prefix

STORE_FOLDERS: Final = ("datasets", "manifests", "recipes", "runs", "scratch", "sweeps")
"""Folders at the root of a store."""

_MAX_NAMESPACE: Final = 63
_MAX_PREFIX: Final = 512 - len("/") - _MAX_NAMESPACE


class DefaultOutput(Output):
    """Default output of sweeps: the folder of their namespace below a prefix."""

    prefix: Annotated[Prefix, Field(max_length=_MAX_PREFIX, json_schema_extra={"maxLength": _MAX_PREFIX})] = ""
    """Folder in the bucket, without slashes at its ends; each namespace has a folder of its name in it."""
    shared_by: tuple[ObjectName, ...] = ()
    """Namespaces that use the prefix itself and each other's runs; each of them must trust the others."""

    def select(self, namespace: str) -> Output | None:
        """Return the output of a namespace's sweeps; None for a name that is a folder of the shared store."""
        if namespace in STORE_FOLDERS and namespace not in self.shared_by:
            return None
        fields = {name: value for name, value in self if name != "shared_by"}
        prefix = self.prefix if namespace in self.shared_by else join_prefix(self.prefix, namespace)
        return Output.model_validate({**fields, "prefix": prefix})


def join_prefix(prefix: str, namespace: str) -> str:
    """Return the folder of a namespace below a prefix, which may be empty."""
    return f"{prefix}/{namespace}".lstrip("/")
