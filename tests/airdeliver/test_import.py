"""What takes long to import is imported where it is needed."""

import subprocess
import sys

LONG = ("scipy.stats", "scipy.optimize", "sklearn", "pandas", "datasets", "keras", "matplotlib", "hydra")


def test_an_import_of_the_library_leaves_out_what_takes_long():
    run = f"import sys, airdeliver, channels; print([name for name in {LONG!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
