"""Quality gates: checks of a run before its manifest is written."""
