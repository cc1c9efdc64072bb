"""`make demo`: the small sweep of spheres_sem, numbers 100 and 600, seeds 0 and 1, by the code of `synth render`."""

from __future__ import annotations

import sys

from synth_cli.main import run


def main(folder: str) -> int:
    """Render into `folder`; returns the exit code."""
    return run(
        [
            "render",
            "recipes/spheres_sem.yaml",
            "blueprints.particles.Bead.number=100,600",
            "initial_runtime_state.seed=0,1",
            f"--out={folder}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
