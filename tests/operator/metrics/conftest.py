"""The fleet lies beside the tests; the dashboard's tests use it too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
