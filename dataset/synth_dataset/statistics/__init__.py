"""Statistics of a dataset: what `synth stats` prints, and the page `statistics.html`."""
