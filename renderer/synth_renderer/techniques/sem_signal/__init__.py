"""The signal of a scanning electron microscope, effect by effect: small functions over arrays, no ray traced, no bpy.

Everything is + - x / sqrt in a fixed order; what exp, log, cos or a power yields is rounded to float32 before it is
used. So a picture is the same on every x86-64 machine. Greys are parts of full white, 0 … 1; docs/sem.md has the
formulas and their sources.
"""
