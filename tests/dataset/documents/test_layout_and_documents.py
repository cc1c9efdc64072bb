from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dataset.attempts.survey import to_ranges
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import AxisDocument, SweepPart
from synth_dataset.documents.document import parse_document
from synth_dataset.documents.run_manifest import Manifest


@given(st.sets(st.integers(0, 200)))
def test_ranges_hold_exactly_the_numbers(numbers):
    found = to_ranges(sorted(numbers))
    assert [n for first, end in found for n in range(first, end)] == sorted(numbers)
    assert all(end < following for (_, end), (following, _) in itertools.pairwise(found))


@given(st.dictionaries(st.text(min_size=1), st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1))
def test_content_id_ignores_order_and_notices_content(files):
    pairs = list(files.items())
    assert layout.compute_content_id(pairs) == layout.compute_content_id(reversed(pairs))
    assert layout.compute_content_id(pairs) != layout.compute_content_id([*pairs[1:], (pairs[0][0], "x" * 64)])


@pytest.mark.parametrize(
    ("path", "is_label"),
    [
        ("real.png", False),
        ("view/left_real.png", False),
        ("real/00001.png", False),
        ("instances.png", True),
        ("real/categorical.png", True),
        ("depth_map/00012.png", True),
        ("state.blend", False),
    ],
)
def test_label_pictures_are_those_that_are_not_real(path, is_label):
    assert layout.is_label_picture(path) is is_label


def test_a_manifest_survives_json(put):
    manifest = put("ab" * 32)
    assert parse_document(Manifest, manifest.to_json(), "x") == manifest


def test_last_axis_is_fastest():
    axes = (AxisDocument(path="a", values=(1, 2)), AxisDocument(path="b", values=("x", "y", "z")))
    sweep = SweepPart(plan="0" * 64, runs=6, axes=axes)
    assert [sweep.overrides(run) for run in (0, 2, 3)] == [{"a": 1, "b": "x"}, {"a": 1, "b": "z"}, {"a": 2, "b": "x"}]
