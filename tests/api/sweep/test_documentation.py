"""The example of the page on sweeps has the numbers that the page says."""

import re
from pathlib import Path

import yaml

from synth_api.composition.source import read_recipe
from synth_api.resources.synth_sweep import SweepSpec
from synth_api.sweep.definition import Sweep

ROOT = Path(__file__).parents[3]


def test_the_example_of_the_page_has_the_counts_of_the_page() -> None:
    page = (ROOT / "docs/sweeps.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(axes:.*?)```", page, re.DOTALL)
    assert example
    spec = SweepSpec.model_validate({"recipe": {}, **yaml.safe_load(example[1])})
    sweep = Sweep.from_source(read_recipe(ROOT / "recipes/spheres_sem.yaml"), (), spec.axes, spec.exclude)
    assert f"0 to {sweep.runs - 1} here" in page
    assert f"= {sweep.count}." in page
