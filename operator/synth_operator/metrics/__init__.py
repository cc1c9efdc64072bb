"""What Prometheus reads from the operator; docs/metrics.md lists every metric."""
