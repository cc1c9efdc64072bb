"""Secondary electron microscope, traced by Cycles."""
