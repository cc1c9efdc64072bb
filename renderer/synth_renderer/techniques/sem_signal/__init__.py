"""Signal of a scanning electron microscope, effect by effect: functions from arrays to arrays, no ray traced, no bpy.

`instrument.record_signal` applies them in order. All arithmetic is + - x / sqrt in a fixed order; results of exp, log,
cos and powers are rounded to float32 before use. So a picture is the same on every x86-64 machine. Greys are parts of
full white, 0 … 1; docs/sem.md has the formulas and their sources.
"""
