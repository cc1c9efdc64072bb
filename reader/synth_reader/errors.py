"""The error of a dataset that cannot be read."""


class DatasetError(Exception):
    """A dataset that cannot be read; one sentence with the address, what is wrong with it and what would be right."""
