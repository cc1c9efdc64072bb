"""The hash of an attempt: a restarted or newer operator must find the attempts of an older one."""

from __future__ import annotations

from hashlib import sha256

from synth_api.jobs.attempt_input import hash_attempt

PLAN = "ab" * 32


def test_an_attempt_hash_is_the_hash_of_canonical_json() -> None:
    document = f'["5b1f","{PLAN}","again",2]'
    assert hash_attempt("5b1f", PLAN, "again", 2) == sha256(document.encode()).hexdigest()


def test_each_input_makes_another_attempt() -> None:
    first = hash_attempt("5b1f", PLAN, "", 0)
    others = {
        hash_attempt("5b20", PLAN, "", 0),
        hash_attempt("5b1f", "cd" * 32, "", 0),
        hash_attempt("5b1f", PLAN, "again", 0),
        hash_attempt("5b1f", PLAN, "", 1),
    }
    assert len(others) == 4
    assert first not in others
