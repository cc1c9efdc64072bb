"""The scene as arrays: generation steps change it, pictures and labels are made from it. No bpy."""
