"""The hash of an attempt: a restarted or newer operator must find the attempts of an older one."""

from __future__ import annotations

from hashlib import sha256

from synth_api.jobs.attempt_input import attempt_hash

PLAN = "ab" * 32


def test_it_is_the_hash_of_canonical_json() -> None:
    document = f'["5b1f","{PLAN}","again",2]'
    assert attempt_hash("5b1f", PLAN, "again", 2) == sha256(document.encode()).hexdigest()


def test_each_input_makes_another_attempt() -> None:
    first = attempt_hash("5b1f", PLAN, "", 0)
    others = {
        attempt_hash("5b20", PLAN, "", 0),
        attempt_hash("5b1f", "cd" * 32, "", 0),
        attempt_hash("5b1f", PLAN, "again", 0),
        attempt_hash("5b1f", PLAN, "", 1),
    }
    assert len(others) == 4
    assert first not in others
