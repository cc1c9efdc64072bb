"""`make bench-gpu` runs to its end on a machine without a GPU: cells of GPUs are empty, a step that fails says why."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from servers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

sys.path.insert(0, str(ROOT / "bench"))

from gpu_table import ROWS, build_device_table, format_cell


def run_bench(out: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Return the results and what was printed."""
    command = [sys.executable, "bench/gpu.py", "--quick", f"--out={out}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads((out / "results.json").read_text()), done.stdout


def test_without_a_gpu_the_rest_is_measured(tmp_path: Path) -> None:
    results, printed = run_bench(tmp_path)

    assert list(results) == ["machine", "kernels sm_80", "kernels sm_90", "kernels sm_100", "run cpu"]
    assert not [name for name, result in results.items() if "error" in result]
    assert results["kernels sm_90"]["value"]["bytes"] > 0
    assert "no NVIDIA driver or GPU answers here, its cells are empty" in printed


def test_a_step_that_fails_or_takes_too_long_says_why_and_the_next_begins(tmp_path: Path) -> None:
    results, _ = run_bench(tmp_path, "--limit=0.01", "--device=cuda")

    assert {result["error"] for name, result in results.items() if name != "machine"} == {"not within 0 s"}
    assert {"first picture cuda empty", "run cuda", "same cuda", "workers cuda 2"} <= set(results)


@pytest.mark.soak
def test_all_steps_run_on_the_cpu_in_place_of_a_gpu(tmp_path: Path) -> None:
    results, _ = run_bench(tmp_path, "--device=cpu")

    assert not [name for name, result in results.items() if "error" in result]
    same = results["same cpu"]["value"]
    assert (same["same_pixels"], same["same_labels"], same["differing"]) == (True, True, 0)
    assert results["workers cpu 2"]["value"]["runs_per_hour"] > 0


def test_each_row_of_the_table_has_a_form_for_its_figures() -> None:
    picture = {
        "mean": 0.001,
        "deviation": -0.03,
        "correlation": 0.0,
        "problems": ["standard deviation -0.030 (limit 0.02)"],
    }
    value = {
        **{"seconds": 12.0, "runs_per_hour": 3210.0, "busy": 0.625, "same_pixels": True, "same_labels": False},
        **picture,
    }
    run = {**value, "seconds": {"real": 0.5, "total": 1.25}}
    results = {step.format("cuda"): {"value": run if step.startswith("run") else value} for _, step, _ in ROWS} | {
        "machine": {"value": {"gpus": ["NVIDIA H200 (sm_90)"], "driver": "580.159", "processors": 16}}
    }

    table = build_device_table(results, ("cuda",))
    column, cpu = (list(each.cells) for each in table.columns[1:])

    assert column == [
        *("12.0 s", "12.0 s", "0.50 s", "1.25 s", *["3,210, 62%"] * 5, "yes", "NO"),
        "+0.10%, -3.00%, +0.00: standard deviation -0.030 (limit 0.02)",
    ]
    assert set(cpu) == {""}
    assert format_cell({"x": {"error": "not within 5 s"}}, "x", str) == "failed: not within 5 s"
