"""`make demo`: render four runs of spheres_sem, 100 and 600 beads with seeds 0 and 1."""

from __future__ import annotations

import sys

from synth_cli.main import run


def main(folder: str) -> int:
    """Render into `folder`; return the exit code of `synth render`."""
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
