import subprocess
import sys

COMMIT = "from synth_dataset.attempts import dataset_commit"
MEASURE = """
import numpy as np
from synth_dataset.memory import release_memory

def measure():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) >> 10

np.ones(4_000_000)  # glibc does not map arrays of up to this size any more
before = measure()
arrays = [np.ones(4_000) for _ in range(1_000)]
last = np.ones(8)
del arrays
kept = measure() - before
release_memory()
print(kept >= 25, measure() - before <= 5)
"""


def run_program(text: str) -> str:
    return subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout


def test_arrow_uses_the_allocator_of_the_system_in_a_process_that_commits() -> None:
    assert run_program(f"{COMMIT}; import pyarrow as pa; print(pa.default_memory_pool().backend_name)") == "system\n"


def test_memory_that_the_heap_keeps_goes_back_to_the_system() -> None:
    assert run_program(MEASURE) == "True True\n"
