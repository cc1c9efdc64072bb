"""Cycles kernels: the GPU code of Cycles, which the wheel of bpy ships and `synth kernels build` adds to."""
