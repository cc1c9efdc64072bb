"""What to do about a sweep: pure functions from what is observed to actions and status."""
