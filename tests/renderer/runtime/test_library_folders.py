"""Where numba and Blender keep things of their own when the usual folders cannot be written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from synth_renderer.runtime import library_folders as module
from synth_renderer.runtime.library_folders import choose_library_folders

NOWHERE = "/proc/nothing"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's folder for temporary files; the command's own lies in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that nobody can write."""
    module_folder = Path("/proc/self/task")
    monkeypatch.setattr(module, "_list_kernel_folders", lambda: iter([module_folder / "__pycache__"]))
    return module_folder


def test_a_user_with_a_home_keeps_kernels_beside_the_package(tmp_path: Path, temporary: Path) -> None:
    assert choose_library_folders({"HOME": str(tmp_path)}, temporary) == {}


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": NOWHERE}, {"HOME": "relative"}], ids=str)
def test_a_home_that_cannot_be_written_is_replaced(temporary: Path, home: dict[str, str]) -> None:
    assert choose_library_folders(home, temporary) == {"HOME": str(temporary)}


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
def test_kernels_of_a_package_that_cannot_be_written_lie_where_the_user_says(
    installed: Path, tmp_path: Path, temporary: Path, variable: str
) -> None:
    environment = {"HOME": NOWHERE, variable: str(tmp_path / "new")}
    assert "NUMBA_CACHE_DIR" not in choose_library_folders(environment, temporary)


def test_a_folder_for_kernels_may_be_relative(
    installed: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "NUMBA_CACHE_DIR" not in choose_library_folders({"NUMBA_CACHE_DIR": "kernels"}, temporary)


@pytest.mark.parametrize("given", [{}, {"NUMBA_CACHE_DIR": NOWHERE}, {"XDG_CACHE_HOME": ""}], ids=str)
def test_without_any_they_lie_in_a_folder_of_the_user_alone(
    installed: Path, tmp_path: Path, temporary: Path, given: dict[str, str]
) -> None:
    folder = Path(choose_library_folders(given, temporary)["NUMBA_CACHE_DIR"])
    assert folder.parent == tmp_path
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (os.getuid(), 0o700)
    assert choose_library_folders(given, temporary)["NUMBA_CACHE_DIR"] == str(folder)


@pytest.mark.parametrize("trap", ["open to others", "a link", "a file"])
def test_a_folder_that_others_can_write_is_not_trusted(
    installed: Path, tmp_path: Path, temporary: Path, trap: str
) -> None:
    folder = tmp_path / f"synth-kernels-{os.getuid()}"
    if trap == "open to others":
        folder.mkdir()
        folder.chmod(0o777)
    elif trap == "a link":
        folder.symlink_to(temporary)
    else:
        folder.touch()
    assert choose_library_folders({}, temporary)["NUMBA_CACHE_DIR"] == str(temporary / "kernels")


def test_nothing_is_left_in_the_working_folder(
    installed: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_library_folders({}, temporary)["NUMBA_CACHE_DIR"] == str(temporary / "kernels")
