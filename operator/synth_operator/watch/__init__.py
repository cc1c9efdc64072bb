"""What the operator sees of the cluster: kopf watches and indexes it, workers ask for snapshots."""
