"""A Kubernetes, a store and an operator in memory, under a clock that only moves when told."""
