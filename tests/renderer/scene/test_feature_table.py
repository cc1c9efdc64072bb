"""Features are columns; an object may lack what another has."""

import numpy as np

from synth_api.prototypes.feature import FeatureType
from synth_renderer.scene.features import FeatureTable, concatenate_tables

FIRST = np.array([True, False, False])
EVERY = np.ones(3, dtype=bool)


def table_of_three() -> FeatureTable:
    table = FeatureTable(3)
    table.declare("location", EVERY, (0.0, 0.0, 0.0), FeatureType.VECTOR)
    table.declare("location_z", EVERY, 0.0, FeatureType.FLOAT)
    table.declare("level", FIRST, 2, FeatureType.INT)
    table.declare("batch", FIRST, (1, 2))
    return table


def test_an_object_without_the_feature_is_told_apart() -> None:
    table = table_of_three()
    assert table.find_present("level").tolist() == [True, False, False]
    assert not table.find_present("unknown").any()
    assert sorted(table.list_names()) == ["batch", "level", "location", "location_z"]


def test_a_component_of_a_vector_that_no_object_has_is_nowhere_present() -> None:
    assert not FeatureTable(2).read_column("location_z").present.any()


def test_values_keep_their_types() -> None:
    table = table_of_three()
    assert table.read_value("level", 0) == 2
    assert isinstance(table.read_value("level", 0), int)
    assert table.read_value("location", 0) == (0.0, 0.0, 0.0)


def test_one_objects_features_are_those_that_it_has() -> None:
    table = table_of_three()
    assert dict(table.read_row(0)) == {"location": (0.0, 0.0, 0.0), "location_z": 0.0, "level": 2, "batch": (1.0, 2.0)}
    assert "level" not in table.read_row(1)
    assert len(table.read_row(1)) == 2
    table.set_value("location_z", 1, 7.5)
    assert table.read_row(1)["location_z"] == 7.5


def test_a_component_writes_into_its_vector_and_back() -> None:
    table = table_of_three()
    table.set_value("location_z", 1, 7.5)
    assert table.read_value("location", 1) == (0.0, 0.0, 7.5)
    table.set_value("location", 1, (1.0, 2.0, 3.0))
    assert table.read_value("location_z", 1) == 3.0
    assert table.read_value("location", 0) == (0.0, 0.0, 0.0)


def test_joined_tables_keep_every_value_at_its_object() -> None:
    first, second = table_of_three(), FeatureTable(2)
    second.declare("location", np.ones(2, dtype=bool), (9.0, 9.0, 9.0), FeatureType.VECTOR)
    second.declare("name", np.ones(2, dtype=bool), "b", FeatureType.STRING)
    joined = concatenate_tables([first, second], np.array([3, 4, 0, 1, 2]))
    assert joined.read_value("location", 0) == (9.0, 9.0, 9.0)
    assert joined.find_present("name").tolist() == [True, True, False, False, False]
    assert joined.read_value("level", 2) == 2
    assert joined.find_present("level").tolist() == [False, False, True, False, False]
