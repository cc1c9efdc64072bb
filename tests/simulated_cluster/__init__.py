"""Kubernetes, a store and the operator in memory, with a simulated clock."""
