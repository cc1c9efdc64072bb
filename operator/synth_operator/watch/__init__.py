"""Watches: kopf watches and indexes the cluster, reconcile threads take snapshots."""
