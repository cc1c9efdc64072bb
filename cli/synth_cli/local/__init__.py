"""Commands that render or read a dataset on this machine."""
