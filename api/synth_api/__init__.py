"""The contract: recipe schema, override algebra, run keys, names of things. Pure: no I/O beyond reading a recipe."""
