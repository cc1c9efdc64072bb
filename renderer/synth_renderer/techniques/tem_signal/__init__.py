"""Signal of a transmission electron microscope, effect by effect: functions from arrays to arrays, no ray, no bpy.

All arithmetic is + - x / sqrt in a fixed order; results of exp, log, sin and cos are rounded to float32 before use. So
a picture is the same on every x86-64 machine. Intensities are parts of the beam, 1 where nothing is in its way.
"""
