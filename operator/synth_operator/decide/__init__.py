"""Decisions about a sweep: pure functions from the observed state to status and actions."""
