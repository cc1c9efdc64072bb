import subprocess
import sys
from pathlib import Path

CALL = "import sys; sys.path.insert(0, sys.argv[1]); from stale.outer import outer; print(outer(1.0))"
OUTER = """
from stale.inner import inner
from synth_renderer.numerics.kernel import kernel
@kernel
def outer(x):
    return inner(x)
"""
INNER = """
from synth_renderer.numerics.kernel import kernel
@kernel
def inner(x):
    return x + {added}
"""


def result(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", CALL, str(folder)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_changed_neighbour_is_compiled_again(tmp_path):
    package = tmp_path / "stale"
    package.mkdir()
    (package / "outer.py").write_text(OUTER)
    (package / "inner.py").write_text(INNER.format(added=1))
    assert result(tmp_path) == "2.0"
    assert list(package.glob("__pycache__/*.nbi"))
    (package / "inner.py").write_text(INNER.format(added=22))
    assert result(tmp_path) == "23.0"
