"""The root digest: one hash for the runs of a dataset."""

from __future__ import annotations

import random
from hashlib import sha256

from synth_dataset.documents.run_manifest import Manifest
from synth_dataset.views import root_digest
from synth_dataset.views.root_digest import RootDigest


def compute(manifests: list[Manifest]) -> str:
    root = RootDigest()
    for manifest in manifests:
        root.add(manifest)
    return root.compute()


def test_it_is_the_hash_of_sorted_lines_in_any_order_of_runs(record_of) -> None:
    digits = random.Random(3)
    manifests = [
        Manifest.from_record(
            record_of(digits.randbytes(31).hex() + "00", label_digest=digits.randbytes(32).hex()),
            digits.randbytes(4).hex(),
            (),
        )
        for _ in range(50)
    ]
    lines = sorted(f"{each.key}  {each.c8}  {each.label_digest}\n" for each in manifests)
    expected = sha256("".join(lines).encode()).hexdigest()
    assert compute(manifests) == expected
    digits.shuffle(manifests)
    assert compute(manifests) == expected
    assert compute([]) == sha256(b"").hexdigest()


def test_many_runs_are_sorted_in_parts_on_disk(record_of, monkeypatch, tmp_path) -> None:
    keys = [f"{number * 7 % 50:02}" * 32 for number in range(50)]
    manifests = [Manifest.from_record(record_of(key), "12345678", ()) for key in keys]
    expected = compute(manifests)
    monkeypatch.setattr(root_digest, "PART_RUNS", 16)
    root = RootDigest(tmp_path)
    for manifest in manifests:
        root.add(manifest)
    assert root.compute() == expected
    assert not list(tmp_path.iterdir())


def test_another_file_or_label_of_a_run_is_another_root(record_of) -> None:
    run = Manifest.from_record(record_of("ab" * 32), "12345678", ())
    others = [run.model_copy(update={"c8": "12345679"}), run.model_copy(update={"label_digest": "1" * 64})]
    assert len({compute([each]) for each in (run, *others)}) == 3
