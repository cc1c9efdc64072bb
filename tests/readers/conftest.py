"""Tests in an environment of its own, which has the readers and not the packages of the project."""

from __future__ import annotations

import os

EXPORTS = os.environ.get("SYNTH_EXPORTS")
"""Folder that `make_exports.py` wrote; without it the tests are not collected."""
collect_ignore = [] if EXPORTS else ["test_readers.py"]
