"""Versions that others depend on."""

from typing import Final

ENGINE_VERSION: Final = 3
"""Rises only when labels or pictures change their meaning or bytes; part of every run key. Apart from the release."""
