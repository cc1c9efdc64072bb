"""Version of labels and pictures, and where the source lies."""

from typing import Final

ENGINE_VERSION: Final = 3
"""Part of every run key; rises only when labels or pictures change their meaning or bytes, apart from releases."""
PROJECT_URL: Final = "https://github.com/synth-operator/synth-operator"
"""Where the source of synth-operator lies."""
