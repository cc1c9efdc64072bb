"""Views of a dataset, files about all its runs: index, COCO, gallery."""
