"""Another user, a package and a home that cannot be written, no folder for temporary files: as containers have it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Command

USER = [
    *("setpriv", "--reuid=2001", "--regid=2001", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
]
SYNTH = [sys.executable, "-c", "from synth_cli.main import main; main()"]
READ_ONLY = """
set -e
mount --make-rprivate /
for point in / /tmp /var/tmp; do
  if mountpoint -q $point; then mount -o remount,bind,ro $point; fi
done
cd /
exec "$@"
"""
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs the right to become another user")


@needs_root
def test_a_user_without_home_renders_with_a_package_that_cannot_be_written(synth: Command) -> None:
    for folder in (synth.folder, synth.folder / "orders"):
        folder.chmod(0o777)
    synth.order(0, "load a kernel")
    before = set(synth.folder.iterdir())
    variables = ["-u", "HOME", "-u", "NUMBA_CACHE_DIR", f"TMPDIR={synth.folder / 'orders'}"]
    command = [*USER, "env", *variables, *SYNTH, *synth.render_arguments(1)]
    subprocess.run(command, cwd=synth.folder, env=synth.environment, check=True)
    assert set(synth.folder.iterdir()) - before == {synth.store}
    assert (synth.folder / "orders" / "synth-kernels-2001").is_dir()


@needs_root
def test_a_missing_temporary_folder_is_reported_with_a_remedy(synth: Command) -> None:
    command = ["env", "-u", "TMPDIR", *SYNTH, "validate", str(synth.recipe)]
    inside = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *command]
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip("needs the right to mount")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no folder for temporary files can be written")
    assert done.stderr.endswith("set TMPDIR to a folder that can be written\n")
