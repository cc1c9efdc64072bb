"""Prometheus metrics of the operator; docs/metrics.md lists all of them."""
