from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from synth_api.temporary import TemporaryFolderError, create_temporary_folder, find_temporary_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_temporary_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with create_temporary_folder("run-") as folder:
        (folder / "file").touch()
        assert (folder.parent, folder.name[:4]) == (tmp_path, "run-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("given", "named"), [("/proc/nothing", "/proc/nothing"), (None, "not set"), ("", "not set")])
def test_the_error_without_a_writable_folder_names_the_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, given: str | None, named: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/nothing"])
    if given is None:
        monkeypatch.delenv("TMPDIR", raising=False)
    else:
        monkeypatch.setenv("TMPDIR", given)
    with pytest.raises(TemporaryFolderError) as caught:
        find_temporary_folder()
    assert str(caught.value) == (
        f"no folder for temporary files can be written, or none has space: neither TMPDIR ({named}) nor /tmp, "
        "/var/tmp, /usr/tmp or the working folder; set TMPDIR to a folder that can be written"
    )
