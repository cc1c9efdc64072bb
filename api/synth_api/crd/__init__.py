"""CustomResourceDefinitions, made from the models of `synth_api.resources`."""
