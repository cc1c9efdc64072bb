"""The reconciler: observe, decide, apply, one sweep at a time."""
