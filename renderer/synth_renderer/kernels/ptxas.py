"""ptxas, NVIDIA's compiler from PTX to machine code."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError, TryAgainError, suggest_name
from synth_api.temporary import create_temporary_folder
from synth_renderer.kernels.machine_code import format_architecture

if TYPE_CHECKING:
    from synth_renderer.kernels.machine_code import Capability

_PACKAGE_PATH: Final = Path("cuda_nvcc", "bin", "ptxas")
"""Below the package `nvidia`, where nvidia-cuda-nvcc-cu12 puts it."""
_VERSION: Final = re.compile(r"\bV(\d+\.\d+\.\d+)")
_ARCHITECTURES: Final = re.compile(r"'(sm_\d+)'")
_KILLED: Final = -9
_MEMORY_PROBLEM: Final = re.compile("memory|bad_alloc", re.IGNORECASE)


@dataclass(frozen=True)
class Ptxas:
    """An installed ptxas and its version."""

    path: Path
    version: str
    """Such as `12.9.86`."""

    def check_architecture(self, capability: Capability) -> None:
        """Raise InputError for an architecture that this version does not know."""
        known = set(_ARCHITECTURES.findall(_run(self.path, "--help").stdout))
        name = format_architecture(capability)
        if name not in known:
            raise InputError(
                "--arch", f"ptxas {self.version} has no architecture '{name}'; {suggest_name(name, known)}"
            )

    def compile(self, ptx: bytes, capability: Capability) -> bytes:
        """Return the machine code of a PTX program, an ELF file. Takes minutes for all of Cycles.

        Raises TryAgainError for too little memory, InputError for a program that ptxas refuses.
        """
        with create_temporary_folder("synth-ptxas-") as folder:
            source, target = folder / "kernel.ptx", folder / "kernel.cubin"
            source.write_bytes(ptx)
            done = _run(self.path, f"-arch={format_architecture(capability)}", str(source), "-o", str(target))
            if done.returncode == 0:
                return target.read_bytes()
        name, said = format_architecture(capability), " ".join(done.stderr.split())
        if done.returncode == _KILLED or _MEMORY_PROBLEM.search(said):
            raise TryAgainError(f"{name}: too little memory: ptxas needs about 3 GB for all Cycles kernels")
        raise InputError(name, f"ptxas {self.version} ends with {done.returncode}: {said[:300] or 'it says nothing'}")


def find_ptxas() -> Ptxas:
    """Return ptxas of the package nvidia-cuda-nvcc-cu12, else that of the PATH. Raises InputError."""
    spec = find_spec("nvidia")
    packaged = (Path(place, _PACKAGE_PATH) for place in (spec.submodule_search_locations or () if spec else ()))
    path = next((path for path in packaged if path.is_file()), None) or shutil.which("ptxas")
    version = _VERSION.search(_run(Path(path), "--version").stdout) if path else None
    if not path or not version:
        raise InputError("ptxas", "is neither installed nor on the PATH; install synth-operator[kernels]")
    return Ptxas(Path(path), version[1])


def _run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([path, *arguments], capture_output=True, text=True, errors="replace", check=False)
