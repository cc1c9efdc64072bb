"""The Kubernetes operator: watches recipes, sweeps and datasets and creates their Jobs; it has no store."""
