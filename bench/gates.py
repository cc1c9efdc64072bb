"""False alarms and missed faults of the mask gate over synthetic pictures, by kind of picture and by fault.

python bench/gates.py [PICTURES] [FAULTS]      pictures and faults per kind, default 70 and 2
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from synth_dataset.gates.quality_gates import check_gates

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/dataset/gates"))
from trial_pictures import FAULTS, KINDS, Kind, Trial, faulty, trial

FIRST = 1000
"""First seed; thresholds were chosen on smaller seeds."""


def list_failed_gates(picture: Trial) -> list[str]:
    """Return the names of the gates that a picture fails."""
    return [gate.name for gate in check_gates(picture.ids, picture.visible_px, picture.real) if not gate.passed]


def count_false_alarms(kind: Kind, pictures: int) -> int:
    """Count pictures with correct labels that fail a gate."""
    return sum(bool(list_failed_gates(trial(kind, seed))) for seed in range(FIRST, FIRST + pictures))


def count_missed(kind: Kind, fault: str, count: int) -> int:
    """Count pictures with wrong labels that pass all gates."""
    return sum(not list_failed_gates(faulty(kind, seed, fault)) for seed in range(FIRST, FIRST + count))


def main(pictures: int = 70, faults: int = 2) -> None:
    """Print both tables."""
    start = time.process_time()
    print(f"{'false alarms':46s} of {pictures}")
    alarms = {kind.name: count_false_alarms(kind, pictures) for kind in KINDS}
    for name, count in alarms.items():
        print(f"  {name:46s} {count}")
    print(f"  {'all':46s} {sum(alarms.values())} of {pictures * len(KINDS)}")
    table = {kind.name: {fault: count_missed(kind, fault, faults) for fault in FAULTS} for kind in KINDS}
    print(f"missed, of {faults} each; columns: " + "; ".join(FAULTS))
    for name, row in table.items():
        print(f"  {name:46s}" + "".join(f"{count:5d}" for count in row.values()))
    sums = (sum(row[fault] for row in table.values()) for fault in FAULTS)
    print(f"  {f'all, of {faults * len(KINDS)}':46s}" + "".join(f"{count:5d}" for count in sums))
    print(f"{time.process_time() - start:.0f} s of CPU time")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
