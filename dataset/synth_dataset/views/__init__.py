"""Files of a dataset that show its runs together: index, COCO, gallery."""
