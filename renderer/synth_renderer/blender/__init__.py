"""The interface to Blender. Importing it imports bpy, so the other packages import it lazily."""

import bpy as bpy
