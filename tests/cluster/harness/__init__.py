"""A real Kubernetes on this machine, and what tests do with it."""
