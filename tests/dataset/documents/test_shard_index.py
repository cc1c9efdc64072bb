import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.shard_index import build_index, encode_index, parse_index

RUNS = [(f"{number:064x}", f"{number:08x}", 1024, 700) for number in range(1, 4)]


def test_an_index_is_read_as_it_was_written():
    index = build_index(RUNS)
    assert np.array_equal(parse_index(encode_index(index), "a.parquet"), index)


def test_a_damaged_byte_is_an_error_that_names_the_file_or_leaves_an_index():
    content = encode_index(build_index(RUNS))
    sentences = set()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        try:
            parse_index(bytes(damaged), "a.parquet")
        except DocumentError as error:
            sentences.add(str(error))
    problem = "a.parquet: is no index of a shard"
    remedy = "synth verify --repair writes it again"
    assert sentences == {f"{problem}; {remedy}", f"{problem}, its keys are not sorted; {remedy}"}


@pytest.mark.parametrize("column", ["key", "offset"])
def test_an_index_without_a_value_is_refused(column):
    table = pq.read_table(pa.BufferReader(encode_index(build_index(RUNS))))
    place = table.column_names.index(column)
    sink = pa.BufferOutputStream()
    pq.write_table(table.set_column(place, column, pa.nulls(len(table), table.schema.field(column).type)), sink)
    with pytest.raises(DocumentError, match=r"a\.parquet: is no index of a shard; synth verify --repair"):
        parse_index(sink.getvalue().to_pybytes(), "a.parquet")


@pytest.mark.parametrize("place", [-512, 1000, 1 << 62])
@pytest.mark.parametrize("column", ["offset", "length", "manifest_offset"])
def test_an_index_with_a_place_that_is_no_block_is_refused(column, place):
    index = build_index(RUNS)
    index[column][1] = place
    with pytest.raises(DocumentError, match=r"a\.parquet: is no index of a shard; synth verify --repair"):
        parse_index(encode_index(index), "a.parquet")
