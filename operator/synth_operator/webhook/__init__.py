"""Validating webhook: refuses a recipe or sweep with a mistake at `kubectl apply`, in a process of its own."""
