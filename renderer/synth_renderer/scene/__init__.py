"""The scene as arrays: what generation steps act on and what every picture is made from. No bpy."""
