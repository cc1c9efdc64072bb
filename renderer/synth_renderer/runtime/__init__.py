"""Processes that render: worker pool, worker, their protocol, and the pod of a render Job."""
