"""Reader of the datasets that synth-operator renders: pictures, particle ids and particle tables of runs."""

from synth_reader.dataset import Dataset, open_dataset
from synth_reader.errors import DatasetError
from synth_reader.masks import decode_mask
from synth_reader.run import Run, RunMeta

__all__ = ["Dataset", "DatasetError", "Run", "RunMeta", "decode_mask", "open_dataset"]
