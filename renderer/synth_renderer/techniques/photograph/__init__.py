"""A photograph, traced by Cycles."""
