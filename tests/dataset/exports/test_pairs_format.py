"""Format pairs: each picture beside its ids, as cellpose and stardist want them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synth_api.errors import InputError


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("layout", ["cellpose", "stardist"])
@pytest.mark.parametrize("least", [0, 120])
def test_ids_are_those_of_the_labels(discs, export, labels_of, layout, least) -> None:
    folder = export(discs, format="pairs", layout=layout, min_area=least) / "train"
    for row in discs.iterate_rows(["run", "key"]):
        name = f"{row['run']:06d}"
        if layout == "cellpose":
            picture, masks = read(folder / f"{name}_img.png"), read(folder / f"{name}_masks.png")
        else:
            picture, masks = read(folder / f"images/{name}.tif"), read(folder / f"masks/{name}.tif")
        ids = labels_of(discs, row["key"])
        sizes = np.bincount(ids.ravel(), minlength=8)
        assert masks.dtype == np.uint16
        assert (masks == np.where(sizes[ids] >= least, ids, 0)).all()
        assert (picture == ids % 7 * 30).all()


def test_no_other_file_lies_in_a_folder_of_pairs(discs, export) -> None:
    names = sorted(path.name for path in (export(discs, format="pairs", pictures=("depth_map",)) / "train").iterdir())
    assert names == sorted(f"{run:06d}_{kind}.png" for run in range(6) for kind in ("img", "masks"))


def test_a_pixel_has_one_particle(discs, export) -> None:
    with pytest.raises(InputError, match="--amodal: a pixel of pairs has one particle; take another format"):
        export(discs, format="pairs", amodal=True)
