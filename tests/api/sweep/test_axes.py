"""Arguments in Hydra's grammar become axes in the order given, or are refused by name."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from synth_api.composition.overrides import format_override_value
from synth_api.errors import InputError
from synth_api.sweep.axes import parse_arguments


def values(argument: str) -> list:
    (axis,) = parse_arguments([argument]).axes
    return list(axis.values)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a.b=1,2", [1, 2]),
        ("a=real, depth_map", ["real", "depth_map"]),
        ("a='x,y',z", ["x,y", "z"]),
        ("a=null,true,1.5", [None, True, 1.5]),
        ("a=choice(3)", [3]),
        ("a=choice(b,c)", ["b", "c"]),
        ("a=[0,0,-1],[0,0,-2]", [[0, 0, -1], [0, 0, -2]]),
        ("a={b:1},{b:'2'}", [{"b": 1}, {"b": "2"}]),
        ("a=${x.y},${z}", ["${x.y}", "${z}"]),
        ("a=range(3)", [0, 1, 2]),
        ("a=range(2,5)", [2, 3, 4]),
        ("a=range(5,0,-2)", [5, 3, 1]),
        ("a=range(start=1,stop=6,step=2)", [1, 3, 5]),
        ("a=range(stop=3,start=1)", [1, 2]),
        ("a=range(0,1,0.25)", [0.0, 0.25, 0.5, 0.75]),
        ("a=range(1,0,-0.4)", [1.0, 0.6, 0.2]),
    ],
)
def test_values_of_an_axis(argument: str, expected: list) -> None:
    assert values(argument) == expected
    assert [type(value) for value in values(argument)] == [type(value) for value in expected]


def test_float_ranges_count_in_decimal_without_drift() -> None:
    assert values("a=range(0,1,0.1)") == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert parse_arguments(["a=range(0,100000,0.1)"]).axes[0].values[999_999] == 99999.9


def test_a_range_is_not_enumerated() -> None:
    (axis,) = parse_arguments(["a=range(1000000)"]).axes
    assert axis.values == range(1_000_000)


def test_axes_keep_their_order_and_the_rest_is_fixed() -> None:
    parsed = parse_arguments(["z=1,2", "b.c=7", "a=range(2)", "+d.e=x,y", "~f", "++g=1,2", "h="])
    assert [(axis.sign, axis.path) for axis in parsed.axes] == [("", "z"), ("", "a"), ("+", "d.e"), ("++", "g")]
    assert parsed.fixed == ("b.c=7", "~f", "h=")


def test_an_axis_gives_back_its_overrides() -> None:
    (axis,) = parse_arguments(["+a.b=1,'a b',[x,{y:null}],0.1,true"]).axes
    assert [axis.format_override(i) for i in range(5)] == [
        "+a.b=1",
        "+a.b='a b'",
        "+a.b=['x',{y:null}]",
        "+a.b=0.1",
        "+a.b=True",
    ]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex("[a-z_]{1,5}", fullmatch=True), inner),
    max_leaves=6,
)


@given(PLAIN)
def test_the_text_of_a_value_reads_as_that_value(value: object) -> None:
    read = OverridesParser.create().parse_override(f"a={format_override_value(value)}").value()
    assert read == value
    assert type(read) is type(value)


def test_step_ids_count_as_their_indices() -> None:
    def indexed(path: str) -> str:
        return path.replace("relax", "5")

    with pytest.raises(InputError, match=r"steps\.5\.gravity\.2: there are two axes for this key"):
        parse_arguments(["steps.relax.gravity.2=1,2", "steps.5.gravity.2=3,4"]).index_paths(indexed)


@pytest.mark.parametrize(
    ("arguments", "path", "says"),
    [
        (["a.b=glob(*)"], "a.b", "`glob(…)` is not available in a sweep; write the values"),
        (["a.b=interval(0,1)"], "a.b", "`interval(…)` is not available in a sweep; a sweep has discrete values"),
        (["a.b=shuffle(1,2)"], "a.b", "`shuffle(…)` is not available in a sweep; axes keep their order"),
        (["a.b=sort(2,1)"], "a.b", "`sort(…)` is not available"),
        (["a.b=tag(t,choice(1,2))"], "a.b", "`tag(…)` is not available"),
        (["a.b=int(3.5)"], "a.b", "`int(…)` is not available in a sweep; write whole numbers"),
        (["a.b=str(range(3))"], "a.b", "`str(…)` is not available in a sweep; quote the values"),
        (["a.b=magic(3)"], "a.b", "there is no function in 'magic(3)' but `range` and `choice`"),
        (["a.b=choice()"], "a.b", "has no values"),
        (["a.b=range(0)"], "a.b", "range(0, 0, 1) has no values"),
        (["a.b=range(3,1)"], "a.b", "range(3, 1, 1) has no values; give a stop beyond the start"),
        (["a.b=range(1,3,0)"], "a.b", "a step other than 0"),
        (["a.b=range(0,inf)"], "a.b", "needs finite numbers"),
        (["a.b=range(1,2,3,4)"], "a.b", "'range(1,2,3,4)' cannot be evaluated; write for example range(15)"),
        (["a.b=range(1000001)"], "a.b", "1,000,001 values"),
        (["a.b=range(1e300)"], "a.b", "at most 1,000,000 runs"),
        (
            ["a.b=1,"],
            "a.b",
            "'a.b=1,' is not an override such as a.b=1 or a.b=1,2; check its commas, brackets, spaces and quotes",
        ),
        (["a.b"], "a.b", "'a.b' is not an override such as a.b=1: it gives no value; write a.b=…"),
        (["=1,2"], "", "'=1,2' names nothing to change"),
        (["a.b=[range(3)]"], "a.b", "a `range` or `choice` inside a list"),
        (["a.b=range(3),7"], "a.b", "a `range` or `choice` inside a list"),
        (["~a.b=1,2"], "a.b", "an axis cannot delete a key"),
        (["a/b=1,2"], "a/b", "dotted path"),
        (["a@b=1,2"], "a", "dotted path"),
        (["hydra.x=1,2"], "hydra.x", "dotted path"),
        (["a.b=1,2", "c=1", "a.b=range(3)"], "a.b", "there are two axes for this key; keep one"),
        (["a.b=1,2", "+a.b=3"], "a.b", "there are an axis and a fixed override for this key; keep one"),
        (["a.b=1,2", "a.b.c=3,4"], "a.b.c", "'a.b' and 'a.b.c' lie within each other; keep one"),
        (["a.b.c=1,2", "a.b={c:1}"], "a.b.c", "'a.b' and 'a.b.c' lie within each other; keep one"),
        (
            ["a=range(1000)", "b=range(1001)"],
            "b",
            "1,000 x 1,001 values make 1,001,000 runs, a sweep has 1,000,000 at most",
        ),
        (
            [f"a{number}=range(800)" for number in range(64)],
            "a63",
            "the values of 64 axes make about 10^185 runs, a sweep has 1,000,000 at most; split it",
        ),
        ([f"a.b={'[' * 51}1{']' * 51}"], "a.b", "is nested more than 50 deep; flatten it"),
        ([f"a.b=1,{'[' * 2000}1{']' * 2000}"], "a.b", "is nested more than 50 deep; flatten it"),
        ([f"a.b={'{c:' * 300}1{'}' * 300}"], "a.b", "is nested more than 50 deep; flatten it"),
        ([f"a.b={'int(' * 1000}1{')' * 1000}"], "a.b", "is nested more than 50 deep; flatten it"),
        ([f"a.b={'choice(' * 1000}1{')' * 1000}"], "a.b", "is nested more than 50 deep; flatten it"),
    ],
)
def test_invalid_axes_are_refused(arguments: list[str], path: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_arguments(arguments)
    assert caught.value.path == path
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_with_a_common_prefix_are_not_nested() -> None:
    assert len(parse_arguments(["a.b=1,2", "a.bc=1,2", "a.b1.c=1,2"]).axes) == 3


def test_a_million_runs_are_allowed() -> None:
    assert len(parse_arguments(["a=range(1000)", "b=range(1000)"]).axes) == 2


def test_brackets_in_quotes_are_no_nesting() -> None:
    text = "[" * 60 + "\\'" + "]"
    assert parse_arguments([f"a.b='{text}',\"{'(' * 60}\""]).axes[0].values[1] == "(" * 60
