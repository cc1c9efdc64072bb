"""The Kubernetes operator. Holds nothing yet: the layer rules already watch it."""
