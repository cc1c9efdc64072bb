"""Signal of a transmission electron microscope, effect by effect: functions from arrays to arrays, no ray traced.

`column.record_signal` applies them in order. All arithmetic is + - x / sqrt in a fixed order; results of exp and
sin are rounded to float32 before use. So a picture is the same on every x86-64 machine. Intensities are parts of the
incident beam; docs/tem.md has the formulas and their sources.
"""
