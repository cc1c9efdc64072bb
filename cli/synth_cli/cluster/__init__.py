"""Sweeps on a Kubernetes cluster: read, show, retry, download."""
