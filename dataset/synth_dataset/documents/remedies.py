"""What helps against files of a store that are missing or damaged, as messages say it."""

from __future__ import annotations

from typing import Final

RENDER_RUN: Final = "the same synth render, or synth retry on a cluster, renders the run again"
"""For a run that does not count as one, so the same call renders it."""
REMOVE_FILE: Final = f"remove it, and {RENDER_RUN}"
"""For a damaged file of a run before its dataset is committed."""
REPAIR_RUN: Final = "synth verify --repair renders the run again"
"""For a missing or damaged file of a run of a committed dataset."""
WRITE_POINTER: Final = "the same synth render, or synth retry on a cluster, writes it again"
"""For a damaged `dataset.json` of a sweep, which is removed before."""
