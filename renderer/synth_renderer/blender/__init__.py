"""All that speaks to Blender. Importing this package imports bpy, so the rest of the renderer imports it lazily."""

import bpy as bpy
