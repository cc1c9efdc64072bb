"""Seconds of a gallery: written by a commit of null runs, opened, searched, sorted and scrolled in headless Chromium.

    PYTHONPATH=bench:tests python bench/gallery.py DATASET 20000

DATASET is the folder of a dataset of `sem_broad`. The runs have no thumbnails, as in `commit.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from chromium import Chromium
from commit import NullRun, NullStore, build_attempt, read_recipe

from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.views.dataset_views import write_gallery

if TYPE_CHECKING:
    from synth_dataset.documents.dataset_document import DatasetDocument

WATCH: Final = """new MutationObserver(() => { globalThis.readyAt ??= performance.now() })
.observe(document, {subtree: true, attributes: true, attributeFilter: ["data-ready"]})"""
MEASURE: Final = (
    "(() => {{ const start = performance.now(); {}; document.body.offsetHeight; return performance.now() - start }})()"
)
SEARCH: Final = "const s = document.getElementById('search'); s.value = {!r}; s.dispatchEvent(new Event('input'))"
STEPS: Final = {
    "search of one digit": SEARCH.format("7"),
    "search of a word and a number": SEARCH.format("run seed=77"),
    "end of the search": SEARCH.format(""),
    "order by mean diameter": (
        "const s = document.getElementById('sort'); s.value = 'mean'; s.dispatchEvent(new Event('change'))"
    ),
    "scroll to the end": "scrollTo(0, document.body.scrollHeight); dispatchEvent(new Event('scroll'))",
}


def commit_null_runs(root: Path, source: FolderStore, runs: int) -> DatasetDocument:
    """Commit null runs, print the cost of the gallery, return the dataset."""
    original = NullRun(source, next(source.iterate_keys()))
    store = NullStore(root, [original], runs)

    def time_gallery(*given: Any) -> None:
        start = process_time()
        write_gallery(*given)
        seconds = process_time() - start
        print(
            f"gallery of {runs:,} runs written: {seconds:.2f} s of processor time, {seconds / runs * 1e6:.0f} us a run"
        )

    return commit_dataset(store, build_attempt(runs, read_recipe(source)), [], (time_gallery,))


def main() -> None:
    source, runs = FolderStore(Path(sys.argv[1])), int(sys.argv[2])
    with TemporaryDirectory() as folder, Chromium(Path(folder) / "profile") as browser:
        dataset = commit_null_runs(Path(folder) / "store", source, runs)
        page = (Path(folder) / "store" / dataset.folder / "index.html").as_uri()
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        browser.open(page, "globalThis.readyAt")
        print(f"{'all runs loaded':32} {browser.evaluate('readyAt'):6.0f} ms")
        for name, step in STEPS.items():
            print(f"{name:32} {browser.evaluate(MEASURE.format(step)):6.0f} ms")
        nodes = browser.evaluate("document.querySelectorAll('*').length")
        memory = browser.evaluate("performance.memory.usedJSHeapSize") / 1e6
        print(json.dumps({"nodes": nodes, "heap_mb": round(memory)}))


if __name__ == "__main__":
    main()
