"""The prototypes a recipe may name and the features each offers: known without Blender, so a typo costs no render."""
