"""Feature generation and rendering steps, one module each."""
