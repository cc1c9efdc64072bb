"""The Kubernetes API: client, fencing, leader election, objects and Events."""
