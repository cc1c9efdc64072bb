"""Format `webdataset`: tar files whose members are read one after the other."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from synth_dataset.exports.chunks import iterate_records
from synth_dataset.exports.shards import ShardedFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.export_format import FinishedChunks
    from synth_dataset.exports.sample import Sample
    from synth_dataset.exports.shards import Shard


class WebdatasetFormat(ShardedFormat):
    """Shards `<split>-<number>.tar` in the order of keys, and `<split>.json` with counts and digests."""

    name: ClassVar[str] = "webdataset"

    def write_chunk(self, samples: Iterable[Sample], chunk: ChunkWriter) -> None:
        """Write a shard, sample by sample."""
        chunk.write(_format_path(self.shards[chunk.number]), self._iterate_tar(samples, chunk))

    def write_documents(self, finished: FinishedChunks) -> Iterator[File]:
        """Write the list of shards of each split, as `wids` reads it."""
        shards: dict[str, list[dict[str, Any]]] = {split: [] for split in self.context.selection.splits}
        for shard, record in zip(self.shards, iterate_records(finished.target, finished.count), strict=True):
            (file,) = record.files
            entry = {"url": file.path, "nsamples": record.counts[shard.split].runs, "filesize": file.bytes}
            shards[shard.split].append(entry | {"sha256": file.sha256})
        for split, entries in shards.items():
            index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "name": self.context.name}
            content = json.dumps(index | {"shardlist": entries}, indent=1).encode() + b"\n"
            yield finished.target.write(f"{split}.json", content)

    def format_loading(self, location: str) -> str:
        """Return the line for webdataset."""
        split = self.context.main_split
        count = max(1, next((shard.count for shard in self.shards if shard.split == split), 1))
        urls = f"{location}/{split}-{{000000..{count - 1:06d}}}.tar"
        return (
            "import webdataset; dataset = "
            f"webdataset.WebDataset({urls!r}, shardshuffle=False, empty_check=False).decode('pil')"
        )

    def describe_files(self) -> Mapping[str, str]:
        """Return the meaning of the files by their pattern."""
        return {
            "<split>-<number>.tar": "members `<key>.image.png`, `<key>.instances.npy` (16-bit ids) and `<key>.json`",
            "<split>.json": "shards of a split with their counts and digests",
        }

    def _iterate_tar(self, samples: Iterable[Sample], chunk: ChunkWriter) -> Iterator[bytes]:
        for sample in samples:
            yield from _iterate_member(f"{sample.run.key}.image.png", sample.read(sample.picture.path))
            for mode, file in sorted(sample.extras.items()):
                yield from _iterate_member(f"{sample.run.key}.{mode}.png", sample.read(file.path))
            ids = BytesIO()
            np.save(ids, sample.instances)
            yield from _iterate_member(f"{sample.run.key}.instances.npy", ids.getvalue())
            yield from _iterate_member(f"{sample.run.key}.json", json.dumps(describe_sample(sample)).encode())
            chunk.count(sample)
        yield bytes(2 * tarfile.BLOCKSIZE)


def describe_sample(sample: Sample) -> dict[str, Any]:
    """Return what is known of a run and of its objects, as JSON has it."""
    manifest = sample.manifest
    return {
        "run": sample.run.number,
        "key": sample.run.key,
        "split": sample.run.split,
        "seed": manifest.seed,
        "width": manifest.width,
        "height": manifest.height,
        "pixel_size": manifest.pixel_size,
        "depth_range": manifest.depth_range,
        "overrides": manifest.overrides,
        "objects": [
            {
                "id": one.id,
                "category": one.category.name,
                "bbox": list(one.box),
                "area": one.area,
                "visible_fraction": one.visible_fraction,
                "ignored": one.ignored,
                **({} if one.overlaps is None else {"overlaps": list(one.overlaps)}),
                **({} if one.agglomerate is None else {"agglomerate": one.agglomerate}),
            }
            for one in sample.objects
        ],
    }


def _iterate_member(name: str, content: bytes) -> Iterator[bytes]:
    """Yield a member of a tar file with nothing that differs from one export to the next."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    yield header.tobuf(tarfile.USTAR_FORMAT)
    yield content
    yield bytes(-len(content) % tarfile.BLOCKSIZE)


def _format_path(shard: Shard) -> str:
    return f"{shard.split}-{shard.number:06d}.tar"
