"""References of container images: repository, tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from synth_api.errors import InputError

IMAGE_PATTERN: Final = (
    r"((?:[A-Za-z0-9][-A-Za-z0-9.]*(?::[0-9]+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::([A-Za-z0-9_][-A-Za-z0-9_.]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?"
)
"""Repository, tag and digest, as in the distribution specification."""
_REFERENCE: Final = re.compile(IMAGE_PATTERN)
_DEFAULT_REGISTRY: Final = "docker.io"


@dataclass(frozen=True)
class ImageReference:
    """An image as a pod names it."""

    repository: str
    """Registry and path, `docker.io/library/debian`."""
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Return the parts of a reference, the repository with its registry. Raises InputError."""
        found = _REFERENCE.fullmatch(text)
        if not found:
            raise InputError("", f"'{text}' is no image; write REGISTRY/PATH, then :TAG or @sha256:DIGEST if wanted")
        repository, tag, digest = found.groups("")
        return cls(_complete_repository(repository), tag, digest)

    def allows(self, image: ImageReference) -> bool:
        """Return True if `image` is this one: of this repository, and with the same tag or digest where this has one.

        A digest decides alone; a node ignores the tag beside it.
        """
        if self.repository != image.repository:
            return False
        if self.digest or (self.tag and image.digest):
            return self.digest == image.digest
        return not self.tag or self.tag == (image.tag or "latest")


def _complete_repository(name: str) -> str:
    """Return the name with its registry, as nodes read it: without a registry Docker Hub's."""
    first, slash, rest = name.partition("/")
    if slash and (set(first) & {".", ":"} or first == "localhost" or first != first.lower()):
        return f"{first.lower()}/{rest}"
    return f"{_DEFAULT_REGISTRY}/{name if slash else f'library/{name}'}"
