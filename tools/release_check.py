"""`make release-check`: check that this commit can be released; print one line a check, exit with 1 if one fails.

A tag, soak tests and measurements are steps for a person: docs/releasing.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parent.parent
GENERATORS: Final = ("tools/crds.py", "tools/chart_schema.py", "tools/dashboard.py")
GENERATED: Final = ("crds", "charts/synth-operator")


class CheckError(Exception):
    """A check that fails; the message says what to change."""


def run(*command: str | Path) -> str:
    """Return the output of a command; raise CheckError with its last lines when it fails."""
    completed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if completed.returncode:
        last_lines = "\n".join(completed.stdout.splitlines()[-15:])
        raise CheckError(f"`{' '.join(map(str, command))}` ends with {completed.returncode}\n{last_lines}")
    return completed.stdout


def read_version(project: Path = ROOT) -> str:
    """Return the version in the pyproject.toml of a folder."""
    return str(tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"])


def check_clean_tree() -> None:
    """Raise CheckError for changes that are not committed."""
    if changed := run("git", "status", "--porcelain"):
        raise CheckError(f"commit or remove these files:\n{changed.rstrip()}")


def check_versions() -> None:
    """Raise CheckError for a file that has another version than pyproject.toml."""
    version = read_version()
    chart = yaml.safe_load((ROOT / "charts/synth-operator/Chart.yaml").read_text())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    sections = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    found = {
        "reader/pyproject.toml": read_version(ROOT / "reader"),
        "charts/synth-operator/Chart.yaml, version": chart["version"],
        "charts/synth-operator/Chart.yaml, appVersion": chart["appVersion"],
        "CITATION.cff, version": citation["version"],
        "CHANGELOG.md, newest section but [Unreleased]": next(
            (name for name in sections if name != "Unreleased"), "none"
        ),
    }
    if wrong := [f"{place}: {other}, not {version}" for place, other in found.items() if other != version]:
        raise CheckError("\n".join(wrong))


def check_generated_files() -> None:
    """Raise CheckError for generated files that differ from what their generators write."""
    for generator in GENERATORS:
        run(sys.executable, generator)
    if changed := run("git", "status", "--porcelain", *GENERATED):
        raise CheckError(f"commit these generated files:\n{changed.rstrip()}")


def check_source() -> None:
    """Raise CheckError when `make check` fails."""
    run("make", "check")


def check_wheel() -> None:
    """Raise CheckError when the wheel does not install, or its `synth --version` is another version."""
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        run(*pip, "wheel", "-q", "--no-deps", "--use-pep517", "-w", folder, ".")
        [wheel] = Path(folder).glob("*.whl")
        venv = Path(folder) / "venv"
        run(sys.executable, "-m", "venv", venv)
        run(
            venv / "bin" / "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-c",
            "constraints.txt",
            f"{wheel}[cli]",
        )
        printed = run(venv / "bin" / "synth", "--version").strip()
    if not printed.endswith(f" {read_version()}"):
        raise CheckError(f"`synth --version` of the wheel prints '{printed}', not {read_version()}")


def check_reader_wheel() -> None:
    """Raise CheckError when the wheel of the reader fails its tests on one of its Pythons."""
    with tempfile.TemporaryDirectory() as folder:
        run("tools/reader-wheel", folder)


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "the tree is clean": check_clean_tree,
    "versions agree": check_versions,
    "generated files are fresh": check_generated_files,
    "make check passes": check_source,
    "the wheel installs and runs": check_wheel,
    "the wheel of the reader passes its tests": check_reader_wheel,
}


def main() -> int:
    """Run all checks, also after one that fails; return the exit code."""
    failed = 0
    for name, check in CHECKS.items():
        try:
            check()
        except CheckError as error:
            failed += 1
            print(f"FAIL  {name}\n      {str(error).replace(chr(10), chr(10) + '      ')}", flush=True)
        else:
            print(f"ok    {name}", flush=True)
    print("next: make test, make soak, make bench; docs/releasing.md" if not failed else f"{failed} checks fail")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
