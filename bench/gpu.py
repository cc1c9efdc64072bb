"""`make bench-gpu`: how fast this machine's GPU renders, as a table. Needs no network, and a GPU only for its cells.

python bench/gpu.py [--quick] [--device DEVICE]... [--limit SECONDS] [--whole-kernels] [--out FOLDER]

Each step is a command with a limit of time. Each figure is in FOLDER/results.json as soon as it is known; a step that
fails says why there, and the next one begins.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import psutil
from gpu_busy import BusySampler
from gpu_table import print_tables
from one_run import WARM_UP
from pictures import compare_pictures

from synth_renderer.kernels.backends import order_backends
from synth_renderer.kernels.gpus import list_gpus, read_driver_version
from synth_renderer.kernels.machine_code import find_library, format_architecture, parse_architecture, read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECIPE: Final = "recipes/spheres_sem.yaml"
BEADS: Final = ("blueprints.particles.Bead.number=600",)
SEED: Final = "initial_runtime_state.seed"
ARCHITECTURES: Final = ("sm_80", "sm_90", "sm_100")
WORKERS: Final = (1, 2, 4, 8, 16)
SYNTH: Final = (sys.executable, "-c", "from synth_cli.main import main; main()")

Step = tuple[str, "Callable[[], Any]"]


@dataclass(frozen=True)
class Bench:
    """What is measured, and where the results go."""

    devices: tuple[str, ...]
    """Devices for the cells of a GPU, best first; none without a GPU."""
    quick: bool
    limit: float
    """Of each step, in seconds."""
    whole_kernels: bool
    out: Path

    @property
    def overrides(self) -> tuple[str, ...]:
        """Overrides of the recipe; --quick has few beads in a small picture."""
        return tuple(WARM_UP) if self.quick else BEADS

    def list_steps(self) -> Iterator[Step]:
        """Yield names and functions of the steps, those that need no GPU first."""
        yield "machine", describe_machine
        for architecture in ARCHITECTURES:
            yield f"kernels {architecture}", partial(self.build_kernels, architecture)
        for device in self.devices:
            for caches in ("empty", "filled"):
                yield f"first picture {device} {caches}", partial(self.start, device, caches)
        for device in dict.fromkeys((*self.devices, "cpu")):
            yield f"run {device}", partial(self.measure_run, device)
        for device in self.devices:
            yield f"same {device}", partial(self.check_pictures, device)
        for workers in WORKERS[: 2 if self.quick else None]:
            for device in self.devices[:1]:
                yield f"workers {device} {workers}", partial(self.measure_workers, device, workers)

    def run(self, *command: str) -> str:
        """Return what a command prints; a script of Python is one. Raises CalledProcessError and TimeoutExpired."""
        words = (sys.executable, *command) if command[0].endswith(".py") else command
        return subprocess.run(
            words, check=True, capture_output=True, text=True, timeout=self.limit, env=self.build_environment()
        ).stdout

    def read_json(self, *command: str) -> Any:
        """Return the last line that a command prints."""
        return json.loads(self.run(*command).splitlines()[-1])

    def build_environment(self) -> dict[str, str]:
        """Return an environment whose driver has caches of this measurement alone."""
        folders = {f"{name}_CACHE_PATH": str(self.out / "driver" / name.lower()) for name in ("CUDA", "OPTIX")}
        return {**os.environ, **folders}

    def build_kernels(self, architecture: str) -> Any:
        """Return seconds and bytes of compiling one small Cycles kernel, or all of them."""
        return self.read_json("bench/kernel_build.py", architecture, *(["--whole"] if self.whole_kernels else []))

    def start(self, device: str, caches: str) -> Any:
        """Return the seconds from the start of a process to its first picture."""
        if caches == "empty":
            shutil.rmtree(self.out / "driver", ignore_errors=True)
        return self.read_json("bench/first_picture.py", device)

    def measure_run(self, device: str) -> Any:
        """Return the seconds by stage of the second run of a process."""
        return self.read_json("bench/one_run.py", RECIPE, *self.overrides, f"--device={device}")

    def render(self, name: str, device: str, seeds: int = 1, workers: int = 1) -> list[dict[str, Any]]:
        """Render seeds into a new dataset and return the manifests, first finished first."""
        folder = self.out / "datasets" / name
        shutil.rmtree(folder, ignore_errors=True)
        arguments = (RECIPE, *self.overrides, f"{SEED}=range({seeds})", f"--out={folder}")
        self.run(*SYNTH, "render", *arguments, f"--device={device}", f"--workers={workers}")
        manifests = [json.loads(path.read_text()) for path in folder.glob("manifests/*/*.json")]
        if len(manifests) < seeds:
            raise RuntimeError(f"{seeds - len(manifests)} of {seeds} runs failed; see {folder}")
        return sorted(manifests, key=lambda manifest: datetime.fromisoformat(manifest["finished"]))

    def check_pictures(self, device: str) -> Any:
        """Return whether pixels repeat on a device, and how labels and picture compare with the CPU's."""
        (first,), (second,) = (self.render(f"{device}-{name}", device) for name in ("first", "second"))
        (cpu,) = self.render("cpu", "cpu")
        one, two, other = (self.read_picture(name) for name in (f"{device}-first", f"{device}-second", "cpu"))
        comparison = compare_pictures(one, other)
        return {
            "same_pixels": bool((one == two).all()),
            "same_labels": first["label_digest"] == second["label_digest"] == cpu["label_digest"],
            **asdict(comparison),
            "problems": comparison.problems,
        }

    def read_picture(self, name: str) -> Any:
        """Return the pixels of the only run in a dataset."""
        (path,) = (self.out / "datasets" / name).glob("runs/*/*/*/real.png")
        return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)

    def measure_workers(self, device: str, workers: int) -> Any:
        """Return runs per hour and the GPU's busy share, from the time at which each worker has rendered a run."""
        seeds = (2 if self.quick else 6) * workers + (0 if self.quick else 4)
        with BusySampler() as sampler:
            manifests = self.render(f"workers-{workers}", device, seeds, workers)
        times = [datetime.fromisoformat(manifest["finished"]).timestamp() for manifest in manifests]
        begin, end = times[workers - 1], times[-1]
        return {
            "runs": seeds,
            "runs_per_hour": (seeds - workers) / (end - begin) * 3600,
            "busy": sampler.compute_share(begin, end),
        }


def describe_machine() -> Any:
    """Return GPUs, driver, processors, and for which GPUs Cycles has machine code."""
    library = find_library()
    return {
        "gpus": [
            f"{gpu.name} ({format_architecture(gpu.capability)}), Cycles kernels: {read_state(library, gpu.capability)}"
            for gpu in list_gpus()
        ],
        "driver": read_driver_version(),
        "processors": psutil.cpu_count(),
        "kernels": {name: read_state(library, parse_architecture(name)) for name in ARCHITECTURES},
    }


def explain(error: Exception) -> str:
    """Return why a step failed, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not within {error.timeout:.0f} s"
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        return f"exit code {error.returncode}: {lines[-1] if lines else 'it says nothing'}"
    return f"{type(error).__name__}: {error}"


def take_step(measure: Callable[[], Any]) -> dict[str, Any]:
    """Return the value of a step, or why it failed, and its seconds."""
    start = time.monotonic()
    result: dict[str, Any]
    try:
        result = {"value": measure()}
    except Exception as error:  # one step must not cost the figures of the others
        result = {"error": explain(error)}
    return {**result, "step_seconds": round(time.monotonic() - start, 1)}


def main() -> None:
    options = parse_options()
    found = order_backends(list_gpus(), cache_lasts=True)[:2] if list_gpus() else ()
    devices = tuple(options.device or found)
    bench = Bench(devices, options.quick, options.limit, options.whole_kernels, options.out)
    bench.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for name, measure in bench.list_steps():
        print(f"{name} …", flush=True)
        results[name] = take_step(measure)
        (bench.out / "results.json").write_text(json.dumps(results, indent=1))
        print(json.dumps(results[name]), flush=True)
    if bench.quick:
        print("--quick: 10 beads in a small picture; the figures say nothing about speed")
    print_tables(results, devices)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/gpu.py")
    parser.add_argument("--quick", action="store_true", help="few beads in small pictures: a trial of the steps")
    parser.add_argument("--device", action="append", help="measure these devices [default: those of the GPUs here]")
    parser.add_argument("--limit", type=float, default=1500.0, help="seconds of each step")
    parser.add_argument("--whole-kernels", action="store_true", help="compile all Cycles kernels, not a small one")
    parser.add_argument("--out", type=Path, default=Path("build/bench-gpu"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
