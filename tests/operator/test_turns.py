from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_operator.turns import Turns

GROUPS = st.sampled_from("abc")


def test_each_group_waits_for_one_item_of_every_other_group() -> None:
    turns: Turns[str] = Turns(share=1000)
    for number in range(1000):
        turns.add("many", f"many-{number}", 0.0)
    turns.add("few", "few-0", 1.0)

    assert [turns.take(), turns.take(), turns.take()] == ["many-0", "few-0", "many-1"]


def test_a_group_never_has_more_than_its_share_at_work() -> None:
    turns: Turns[int] = Turns(share=2)
    for number in range(4):
        turns.add("a", number, 0.0)

    assert [turns.take(), turns.take(), turns.take()] == [0, 1, None]
    turns.release("a")
    assert [turns.take(), turns.take()] == [2, None]


def test_the_oldest_item_of_all_groups_is_known() -> None:
    turns: Turns[str] = Turns(share=1)
    assert turns.find_oldest() is None
    turns.add("a", "late", 7.0)
    turns.add("b", "early", 3.0)

    assert turns.find_oldest() == 3.0


@pytest.mark.parametrize("share", [1, 2, 5])
@given(steps=st.lists(st.one_of(GROUPS, st.just("take"), st.integers(0, 9)), max_size=60))
def test_items_are_served_once_in_order_of_their_group_within_its_share_and_in_turn(
    share: int, steps: list[str | int]
) -> None:
    turns: Turns[tuple[str, int]] = Turns(share)
    added: Counter[str] = Counter()
    taken: list[tuple[str, int]] = []
    working: list[str] = []
    passed: Counter[str] = Counter()  # items of other groups that were taken while a group could have been served
    for step in steps:
        if step == "take":
            item = turns.take()
            free = {group for group in added if added[group] > count(taken, group) and working.count(group) < share}
            assert (item is None) == (not free)
            if item is not None:
                assert item[0] in free
                assert item == (item[0], count(taken, item[0])), "not the first of its group"
                for group in free - {item[0]}:
                    passed[group, item[0]] += 1  # type: ignore[index]
                    assert passed[group, item[0]] <= 1, "another group was served twice in between"  # type: ignore[index]
                for pair in [pair for pair in passed if pair[0] == item[0]]:
                    del passed[pair]
                taken.append(item)
                working.append(item[0])
        elif isinstance(step, str):
            turns.add(step, (step, added[step]), float(sum(added.values())))
            added[step] += 1
        elif working:
            turns.release(working.pop(step % len(working)))
    assert len(turns) == sum(added.values()) - len(taken)


def count(taken: list[tuple[str, int]], group: str) -> int:
    return sum(item[0] == group for item in taken)
