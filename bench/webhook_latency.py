"""`make bench-operator`: how long a write of a usual sweep takes, with and without the validating webhook.

Dry runs of new sweeps, one after the other, through a real API server: of a recipe that the cluster has, and with a
recipe of their own that nobody has composed before. Without the webhook the API server finds that nothing listens.
"""

from __future__ import annotations

import argparse
import http.client
import json
import ssl
import tempfile
import time
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml
from api_server import ADMIN
from rich.console import Console
from rich.table import Table
from servers import ROOT
from webhook_release import LAB, Release, build_sweep, install_release, run_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RAW: Final = ROOT / "build" / "bench-webhook.json"
PATH: Final = f"/apis/synth-operator.io/v1alpha1/namespaces/{LAB}/synthsweeps?dryRun=All"
SEED: Final = "initial_runtime_state.seed"
NUMBER: Final = "blueprints.particles.Bead.number"
RECIPES: Final = tuple(sorted((ROOT / "recipes").glob("*.yaml")))

Tree = dict[str, Any]


def build_of_known_recipe(number: int) -> Tree:
    return build_sweep(f"s{number}", overrides=[f"{SEED}=range({number + 2})", f"{NUMBER}=20,40,80"])


def build_with_new_recipe(number: int) -> Tree:
    """Return a sweep with one of the recipes of this repository, with another seed than any before."""
    recipe = yaml.safe_load(RECIPES[number % len(RECIPES)].read_text(encoding="utf-8"))
    recipe["initial_runtime_state"] = {**recipe.get("initial_runtime_state", {}), "seed": number}
    return build_sweep(f"s{number}", recipeRef=None, recipe=recipe, overrides=[f"{SEED}=range(100)"])


KINDS: Final[dict[str, Callable[[int], Tree]]] = {
    "a sweep of a recipe in the cluster": build_of_known_recipe,
    "a sweep with a new recipe": build_with_new_recipe,
}


def time_writes(release: Release, build: Callable[[int], Tree], writes: int) -> Iterator[float]:
    """Yield the seconds of each write over one connection."""
    kubeconfig = json.loads(release.server.kubeconfig.read_text())
    address = urlsplit(kubeconfig["clusters"][0]["cluster"]["server"])
    connection = http.client.HTTPSConnection(address.netloc, context=ssl._create_unverified_context())
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    for number in range(writes):
        body = json.dumps(build(number))
        started = time.monotonic()
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        yield time.monotonic() - started
        assert answer.status == 201, text
    connection.close()


def compute_quantile(values: list[float], share: float) -> float:
    return sorted(values)[ceil(share * len(values)) - 1]


def format_milliseconds(values: list[float]) -> str:
    return " / ".join(f"{1000 * compute_quantile(values, share):.0f}" for share in (0.5, 0.99, 1)) + " ms"


def measure(writes: int) -> dict[str, dict[str, list[float]]]:
    """Return kind of sweep -> without and with the webhook -> seconds."""
    with tempfile.TemporaryDirectory() as folder, install_release(Path(folder)) as release:
        without = {kind: list(time_writes(release, build, writes)) for kind, build in KINDS.items()}
        with run_webhook(release):
            asked = {kind: list(time_writes(release, build, writes)) for kind, build in KINDS.items()}
    return {kind: {"without": without[kind], "with": asked[kind]} for kind in KINDS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=400, help="writes of each kind")
    chosen = parser.parse_args()
    found = measure(chosen.writes)
    RAW.parent.mkdir(exist_ok=True)
    RAW.write_text(json.dumps(found, indent=1))
    table = Table("write, p50 / p99 / maximum", "without webhook", "with webhook")
    for kind, seconds in found.items():
        table.add_row(kind, format_milliseconds(seconds["without"]), format_milliseconds(seconds["with"]))
    Console().print(table, f"raw numbers: {RAW.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
