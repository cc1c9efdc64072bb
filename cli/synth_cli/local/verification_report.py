"""Report of a verification: counts while it runs, then a sentence for each fault and one about all."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from synth_cli.terminal.formatting import format_count, format_duration, format_size

if TYPE_CHECKING:
    from rich.console import Console

    from synth_dataset.verification.fault import Checked, Fault

MAX_LISTED_FAULTS: Final = 1000
"""Faults that a report lists; it counts all."""


@dataclass
class VerificationReport:
    """Outcome of the verification of one dataset or export."""

    name: str
    location: str
    thing: str = "run"
    """What it counts beside files."""
    runs: int = 0
    files: int = 0
    bytes: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    """The first of them."""
    damaged_runs: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    rerendered: int = 0
    repaired: int = 0
    """Runs that a repair has rendered."""
    repaired_faults: list[Fault] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def add(self, checked: Checked) -> None:
        """Count an outcome, and keep its faults."""
        self.runs += checked.run is not None
        self.files += checked.files
        self.bytes += checked.bytes
        self.fault_count += len(checked.faults)
        self.faults += checked.faults[: MAX_LISTED_FAULTS - len(self.faults)]
        self.damaged_runs.update(fault.run for fault in checked.faults if fault.run is not None)

    def add_repair(self, found: VerificationReport) -> None:
        """Take over what a verification before the repair has found."""
        self.repaired_faults = [fault for fault in found.faults if fault not in self.faults]
        self.notes = [*found.notes, *self.notes]
        self.repaired, self.rerendered, self.start = found.repaired, found.rerendered, found.start

    def finish(self) -> None:
        """Measure the time since the start."""
        self.seconds = time.monotonic() - self.start

    def print(self, console: Console) -> None:
        """Print a sentence for each fault and note, then the summary."""
        for problem in dict.fromkeys(fault.problem for fault in self.repaired_faults):  # one of each run of a shard
            console.print(f"repaired: {problem}", soft_wrap=True)
        for fault in self.faults:
            console.print(fault.sentence, soft_wrap=True)
        if self.fault_count > len(self.faults):
            console.print(f"and {format_count(self.fault_count - len(self.faults), 'more fault')}")
        for note in self.notes:
            console.print(f"note: {note}", soft_wrap=True)
        console.print(self.summary, style="bold red" if self.fault_count else "bold", soft_wrap=True)

    @property
    def summary(self) -> str:
        """One sentence with the counts."""
        counts = [format_count(self.files, "file")]
        if self.thing == "run":
            counts.insert(0, format_count(self.runs, "run"))
        if self.bytes:
            counts.append(format_size(self.bytes))
        if self.rerendered:
            counts.append(f"{format_count(self.rerendered, 'run')} rendered again")
        if self.repaired:
            counts.append(f"{format_count(self.repaired, 'run')} repaired")
        verdict = format_count(self.fault_count, "fault") if self.fault_count else "no faults"
        return f"{self.name}: {verdict} in {', '.join(counts)}; {format_duration(self.seconds)}"

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the JSON report."""
        return {
            "name": self.name,
            "location": self.location,
            "runs": self.runs if self.thing == "run" else None,
            "files": self.files,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "rerendered": self.rerendered,
            "repaired": self.repaired,
            "fault_count": self.fault_count,
            "faults": [fault.to_json() for fault in self.faults],
            "repaired_faults": [fault.to_json() for fault in self.repaired_faults],
            "notes": self.notes,
        }
