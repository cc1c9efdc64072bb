"""Quality gates of a run."""
