"""The recipe engine: scene, physics, label pass, real image, worker. No Kubernetes."""
