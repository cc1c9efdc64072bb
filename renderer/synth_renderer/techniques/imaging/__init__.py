"""What both signal models share: blur, scan, counting, display, overlays and the keys and features of a staged scene.

Functions from arrays to arrays; no ray traced, no bpy but in `white_environment`. Greys are parts of full white.
"""
