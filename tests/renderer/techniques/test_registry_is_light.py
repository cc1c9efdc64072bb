"""The registry of techniques loads without Blender."""

import subprocess
import sys


def test_importing_the_registry_does_not_import_bpy():
    code = "import sys, synth_renderer.techniques.registry; sys.exit('bpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
