"""False alarms and missed faults of the mask gate over made pictures, by kind of picture and by fault.

python bench/gates.py [PICTURES] [FAULTS]      pictures and faults per kind, 70 and 2 unless told
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from synth_dataset.gates.quality_gates import check

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/dataset/gates"))
from trial_pictures import FAULTS, KINDS, Kind, Trial, faulty, trial

FIRST = 1000
"""First seed: thresholds were chosen with seeds below."""


def failed(tried: Trial) -> list[str]:
    """Names of the gates that a picture fails."""
    return [gate.name for gate in check(tried.ids, tried.visible_px, tried.real) if not gate.passed]


def false_alarms(kind: Kind, pictures: int) -> int:
    """Pictures with true labels that fail."""
    return sum(bool(failed(trial(kind, seed))) for seed in range(FIRST, FIRST + pictures))


def missed(kind: Kind, fault: str, count: int) -> int:
    """Faults that pass."""
    return sum(not failed(faulty(kind, seed, fault)) for seed in range(FIRST, FIRST + count))


def main(pictures: int = 70, faults: int = 2) -> None:
    """Print both tables."""
    start = time.process_time()
    print(f"{'false alarms':46s} of {pictures}")
    alarms = {kind.name: false_alarms(kind, pictures) for kind in KINDS}
    for name, count in alarms.items():
        print(f"  {name:46s} {count}")
    print(f"  {'all':46s} {sum(alarms.values())} of {pictures * len(KINDS)}")
    table = {kind.name: {fault: missed(kind, fault, faults) for fault in FAULTS} for kind in KINDS}
    print(f"missed, of {faults} each; columns: " + "; ".join(FAULTS))
    for name, row in table.items():
        print(f"  {name:46s}" + "".join(f"{count:5d}" for count in row.values()))
    sums = (sum(row[fault] for row in table.values()) for fault in FAULTS)
    print(f"  {f'all, of {faults * len(KINDS)}':46s}" + "".join(f"{count:5d}" for count in sums))
    print(f"{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
