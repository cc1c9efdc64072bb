"""What a dataset can be called."""

from __future__ import annotations

import pytest

from synth_api.errors import InputError
from synth_api.sweep.dataset_name import check_dataset_name


@pytest.mark.parametrize(
    "name", ["spheres_sem", "Kugeln 2", "kügelchen", "v1.2", "-", "console", "COM10", "a~", "x" * 200]
)
def test_names_of_folders_are_names_of_datasets(name):
    check_dataset_name(name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "it is empty"),
        (".", "it begins or ends with a point or a blank"),
        ("..", "it begins or ends with a point or a blank"),
        ("a ", "it begins or ends with a point or a blank"),
        ("../a", "it begins or ends with a point or a blank"),
        ("a/b", "it contains '/'"),
        ("a\\b", "it contains '\\\\'"),
        ("a:b", "it contains ':'"),
        ("a\nb", "it contains '\\n'"),
        ("a\udc80", "it contains '\\udc80'"),
        ("~", "it begins with '~', which is a home folder"),
        ("~ann", "it begins with '~', which is a home folder"),
        ("NUL", "Windows keeps it for a device"),
        ("con.v1", "Windows keeps it for a device"),
        ("com1", "Windows keeps it for a device"),
        ("ä" * 101, "it has more than 200 bytes"),
    ],
)
def test_other_names_are_refused_in_one_sentence(name, problem):
    with pytest.raises(InputError) as refused:
        check_dataset_name(name)
    assert str(refused.value) == f"{name!a} cannot be the name of a dataset: {problem}; give one with --name"
