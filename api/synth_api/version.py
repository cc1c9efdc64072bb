"""Version of labels and pictures."""

from typing import Final

ENGINE_VERSION: Final = 3
"""Part of every run key; rises only when labels or pictures change their meaning or bytes, apart from releases."""
