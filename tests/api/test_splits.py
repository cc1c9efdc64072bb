"""Splits: near copies on one side, a seed that keeps its side, and mistakes named with what would be right."""

from collections import Counter
from fractions import Fraction

import pytest

from synth_api.errors import InputError
from synth_api.splits import Share, SplitRule, Splits, build_shares, find_column, parse_rule, parse_scalar, parse_shares

SHARES = parse_shares("train=0.8,val=0.1,test=0.1")


def test_runs_of_one_seed_are_on_one_side_whatever_their_other_axes() -> None:
    splits = Splits(SHARES)
    for seed in range(200):
        assert len({splits.find_split(seed, {"number": number}) for number in (1, 10, 100)}) == 1


def test_the_side_of_a_seed_is_that_of_its_hash_and_stays_for_ever() -> None:
    sides = [Splits(SHARES).find_split(seed, {}) for seed in range(32)]
    assert [seed for seed, side in enumerate(sides) if side == "test"] == [16, 21]
    assert [seed for seed, side in enumerate(sides) if side == "val"] == [3, 6, 10, 26, 27, 30]


def test_shares_are_met_over_many_seeds() -> None:
    counts = Counter(Splits(SHARES).find_split(seed, {}) for seed in range(10_000))
    assert counts["train"] == pytest.approx(8000, abs=150)
    assert counts["val"] == pytest.approx(1000, abs=100)
    assert counts["test"] == pytest.approx(1000, abs=100)


def test_the_order_of_shares_does_not_matter() -> None:
    other = Splits(parse_shares("val=0.1,test=0.1,train=0.8"))
    assert [other.find_split(seed, {}) for seed in range(100)] == [
        Splits(SHARES).find_split(seed, {}) for seed in range(100)
    ]
    assert other.names == ("val", "test", "train")


def test_another_salt_is_another_split() -> None:
    sides = [[Splits(SHARES, salt).find_split(seed, {}) for seed in range(200)] for salt in ("", "b")]
    assert sides[0] != sides[1]


def test_a_larger_share_takes_seeds_from_the_next_split_only() -> None:
    larger = Splits(parse_shares("a=0.9,b=0.1"))
    before = Splits(parse_shares("a=0.8,b=0.2"))
    moved = [seed for seed in range(1000) if larger.find_split(seed, {}) != before.find_split(seed, {})]
    assert all(before.find_split(seed, {}) == "b" for seed in moved)
    assert 50 < len(moved) < 150


def test_a_group_keeps_the_runs_of_a_value_together() -> None:
    splits = Splits(SHARES, group="material")
    for material in ("gold", "silver", "iron"):
        assert len({splits.find_split(seed, {"material": material}) for seed in range(100)}) == 1
    assert splits.axes == ("material",)


def test_a_run_without_the_axis_of_the_group_goes_by_its_seed() -> None:
    assert [Splits(SHARES, group="a").find_split(seed, {}) for seed in range(50)] == [
        Splits(SHARES).find_split(seed, {}) for seed in range(50)
    ]


def test_rules_come_before_shares_and_the_first_that_holds_decides() -> None:
    splits = Splits(SHARES, rules=(parse_rule("number=200,300:held_out"), parse_rule("number=300:test")))
    assert splits.find_split(0, {"number": 300}) == "held_out"
    assert splits.find_split(0, {"number": 200.0}) == "held_out"
    assert splits.find_split(0, {"number": 2}) == splits.find_split(0, {})
    assert splits.names == ("train", "val", "test", "held_out")


def test_without_shares_all_runs_are_for_training() -> None:
    assert {Splits().find_split(seed, {}) for seed in range(50)} == {"train"}


def test_shares_are_exact_fractions() -> None:
    assert parse_shares(" a = 1/3 , b=1/3,c=1/3") == tuple(Share(name, Fraction(1, 3)) for name in "abc")
    assert build_shares({"train": 0.7, "test": 0.3}.items()) == parse_shares("train=.7,test=0.3")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("train=0.8,test=0.1", "the shares sum to 0.9; make them sum to 1"),
        ("train=0.8,test=0.2,train=0.1", "the split 'train' is there twice"),
        ("train,test", "'train,test' has no share for each split; write for example train=0.8"),
        ("train=0.8,test=", "'' is not a share; write a number such as 0.1"),
        ("train=0.8,test=-0.2", "'-0.2' is not a share"),
        ("train=0.8,test=1e9999999", "'1e9999999' is not a share"),
        ("train=1,test=1/0", "'1/0' is not a share"),
        ("train=1,test=0", "a share must be greater than 0; leave the split out"),
        ("../x=1", "'../x' cannot be the name of a split: use lower-case letters"),
        ("Train=1", "'Train' cannot be the name of a split"),
        ("all=1", "'all' is taken by loaders"),
    ],
)
def test_wrong_shares_are_named(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=r"^--split: ") as error:
        parse_shares(text)
    assert problem in str(error.value)


def test_a_rule_has_axis_values_and_split() -> None:
    assert parse_rule("a.b=1,2.5,true,'x':test") == SplitRule("a.b", (1, 2.5, True, "x"), "test")
    for text in ("a=1", "a:test", "=1:test", "a=:test"):
        with pytest.raises(InputError, match="is not AXIS=VALUES:SPLIT; write for example number=200,300:test"):
            parse_rule(text)


def test_words_become_what_an_axis_has() -> None:
    assert [parse_scalar(word) for word in ("3", "3.5", "true", "gold", '"3"')] == [3, 3.5, True, "gold", "3"]
    assert [parse_scalar(word) for word in ("nan", "inf", "1_0")] == ["nan", "inf", "1_0"]


def test_columns_are_found_by_the_end_of_their_path() -> None:
    columns = ["seed", "blueprints.particles.Bead.number", "blueprints.particles.Rod.number"]
    assert find_column("seed", columns, "--where") == "seed"
    assert find_column("Rod.number", columns, "--where") == "blueprints.particles.Rod.number"
    with pytest.raises(InputError, match=r"'number' is blueprints.*Bead.number or .*Rod.number; write more"):
        find_column("number", columns, "--where")
    with pytest.raises(InputError, match="no axis or column 'sede'; did you mean 'seed'"):
        find_column("sede", columns, "--where")
