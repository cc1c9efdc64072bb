"""The data that all parts of the renderer share: meshes, bodies, camera, the staged scene, reports. No bpy."""
