"""A real Kubernetes on this machine, for tests."""
