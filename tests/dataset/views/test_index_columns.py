"""The columns of `index.parquet` are those that filters may name before there is a dataset."""

from synth_api.run_filter import INDEX_COLUMNS
from synth_dataset.documents.attempt_document import AxisDocument
from synth_dataset.views.index import tabulate_runs


def test_an_index_has_the_axes_and_the_known_columns() -> None:
    axis = AxisDocument(path="blueprints.particles.Bead.number", values=(1, 2))
    columns = tabulate_runs([axis], []).column_names
    assert columns[:3] == ["run", "key", axis.path]
    assert {*columns} - {axis.path} == {*INDEX_COLUMNS}
