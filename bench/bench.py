"""`make bench`: speed and memory on this machine, as a table with targets. Each row names its command."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from one_run import WARM_UP
from rich.console import Console
from rich.table import Table

RECIPE = "recipes/spheres_sem.yaml"
SIGNAL = "recipes/spheres_sem_signal.yaml"
NUMBER = "blueprints.particles.Bead.number={}"
PREDECESSOR_SECONDS = {600: 1400.0, 100: 167.0}
"""Beads -> seconds of a run of synthPIC2 v1.0, same recipe, 2 cores; for 600 an estimate, 1,852 s on a busy machine."""


@dataclass(frozen=True)
class Row:
    """One row of the table; `target` is must / aim."""

    quantity: str
    measured: str
    target: str
    command: str


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def one_run(number: int, *flags: str) -> tuple[dict[str, float], float]:
    """Return seconds by stage and peak memory in MB of one run after a warm-up, in a new process."""
    printed = run(sys.executable, "bench/one_run.py", RECIPE, NUMBER.format(number), *flags)
    result = json.loads(printed.splitlines()[-1])
    return result["seconds"], result["peak_mb"]


def measure_runs(console: Console) -> list[Row]:
    rows = []
    for number, target in ((600, "30 / 14 s"), (100, "15 / 10 s")):
        seconds, peak = one_run(number)
        command = f"python bench/one_run.py {RECIPE} {NUMBER.format(number)}"
        ratio = PREDECESSOR_SECONDS[number] / seconds["total"]
        rows.append(Row(f"whole run, {number} beads", f"{seconds['total']:.1f} s ({ratio:.0f} x)", target, command))
        if number == 600:
            rest = seconds["total"] - seconds["real"]
            labels = seconds["label pass"] + seconds["label pictures"]
            rows.append(Row("all but the real image, 600 beads", f"{rest:.2f} s", "5 / 3 s", command))
            rows.append(Row("label pass and label pictures, 600 beads", f"{labels:.2f} s", "1.5 / 0.7 s", command))
            rows.append(Row("peak memory, 600 beads", f"{peak:.0f} MB", "800 / 500 MB", command))
        console.print(format_stages(f"seconds by stage, {number} beads", seconds))
    return rows


def format_stages(title: str, seconds: dict[str, float]) -> Table:
    table = Table("stage", "seconds", title=title, title_justify="left")
    for stage, value in seconds.items():
        table.add_row(stage, f"{value:.3f}")
    return table


def measure_growth() -> Row:
    numbers = (100, 500, 1000, 2000)
    totals = [one_run(number, "--no-real")[0]["total"] for number in numbers]
    measured = ", ".join(f"{number}: {total:.2f} s" for number, total in zip(numbers, totals, strict=True))
    per_bead = (
        (totals[-1] - totals[0]) / (numbers[-1] - numbers[0]) / ((totals[1] - totals[0]) / (numbers[1] - numbers[0]))
    )
    return Row(
        "all but the real image, 100 to 2,000 beads",
        f"{measured}; seconds per additional bead, last / first interval {per_bead:.2f}",
        "linear: about 1",
        f"python bench/one_run.py {RECIPE} {NUMBER.format(2000)} --no-real",
    )


def time_command(*command: str) -> float:
    start = time.perf_counter()
    run(*command)
    return time.perf_counter() - start


def measure_signal_model() -> list[Row]:
    """Measure the scanning electron microscope, which needs no Blender."""
    whole = json.loads(run(sys.executable, "bench/one_run.py", SIGNAL).splitlines()[-1])
    seconds, peak = whole["seconds"], whole["peak_mb"]
    command = f"python bench/one_run.py {SIGNAL}"
    growth = json.loads(run(sys.executable, "bench/signal_speed.py").splitlines()[-1])
    importing = (
        "import synth_renderer.engine, synth_renderer.runtime.worker_process, sys; sys.exit('bpy' in sys.modules)"
    )
    start_up = min(time_command(sys.executable, "-c", importing) for _ in range(3))
    measured_growth = "; ".join(
        f"{axis} {', '.join(f'{key}: {value:.2f} s' for key, value in growth[axis].items())}"
        for axis in ("pixels", "particles")
    )
    return [
        Row("sem_broad, 512x512, processor time per run", f"{growth['broad']:.2f} s", "1.0 / 0.4 s", "signal_speed.py"),
        Row(
            "tem_broad, 512x512, processor time per run",
            f"{growth['transmission']:.2f} s",
            "1.0 / 0.4 s",
            "signal_speed.py",
        ),
        Row("real image by the signal model, 960x960, 600 beads", f"{seconds['real']:.2f} s", "2 / 0.7 s", command),
        Row("whole run by the signal model, same recipe", f"{seconds['total']:.2f} s", "5 / 3 s", command),
        Row("peak memory by the signal model, same recipe", f"{peak:.0f} MB", "500 MB", command),
        Row("real image by the signal model: resolution, beads", measured_growth, "linear", "signal_speed.py"),
        Row("start of a worker without Blender", f"{start_up:.2f} s", "3 / 1.5 s", "import"),
    ]


def measure_agglomerates() -> list[Row]:
    command = "python bench/agglomerates.py"
    figures = json.loads(run(sys.executable, "bench/agglomerates.py").splitlines()[-1])
    growth = ", ".join(f"{mode}: {seconds:.2f} s" for mode, seconds in figures["growth"].items())
    dimensions = ", ".join(
        f"{mode}: {dimension['measured']:.2f} ({dimension['published']})"
        for mode, dimension in figures["dimensions"].items()
    )
    return [
        Row("agglomerate of 1,000, 960x960, all label modes", f"{figures['run']:.2f} s", "3 / 1 s", command),
        Row("the same, peak memory", f"{figures['peak_mb']:.0f} MB", "500 MB", command),
        Row("growth of an agglomerate of 2,000", growth, "2 s", command),
        Row("fractal dimension (published)", dimensions, "within 0.1", command),
    ]


def measure_plans() -> list[Row]:
    synth = str(Path(sys.executable).parent / "synth")
    seeds = "initial_runtime_state.seed=range({})"
    start_up = min(time_command(synth, "plan", RECIPE, seeds.format(1)) for _ in range(3))
    counted = min(time_command(synth, "plan", RECIPE, seeds.format(1_000_000)) for _ in range(3)) - start_up
    with tempfile.TemporaryDirectory() as store:
        run(synth, "render", RECIPE, *WARM_UP, "--out", store)
        streamed = time_command(synth, "plan", RECIPE, seeds.format(200_000), "--out", store) - start_up
    return [
        Row("synth plan, 10^6 runs, without start-up, no store", f"{counted:.2f} s", "1 s", f"synth plan … {seeds}"),
        Row(
            "the same with a store", f"{200_000 / streamed:,.0f} keys/s", "5,000 / 50,000 keys/s", "synth plan … --out"
        ),
        Row("start-up of synth plan", f"{start_up:.2f} s", "", "synth plan"),
    ]


def main() -> None:
    console = Console(width=160)
    rows = [
        *measure_runs(console),
        measure_growth(),
        *measure_signal_model(),
        *measure_agglomerates(),
        *measure_plans(),
    ]
    table = Table("quantity", "measured", "must / aim", "command", title="bench")
    for row in rows:
        table.add_row(row.quantity, row.measured, row.target, row.command)
    console.print(table)
    console.print("(n x): speed relative to synthPIC2 v1.0, which was measured on another machine.")


if __name__ == "__main__":
    main()
