"""Physics: how particles come to rest."""
