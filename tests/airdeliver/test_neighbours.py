"""Another project's package of the name `channels` is told, not met by an error about a name that it lacks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_another_package_called_channels_is_told(tmp_path: Path):
    (tmp_path / "channels").mkdir()
    (tmp_path / "channels" / "__init__.py").write_text('__version__ = "4.2"\n')
    run = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import airdeliver"
    ended = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, cwd=tmp_path)
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "ImportError: airdeliver comes with a package channels of its own, but Python finds another at"
    )
    assert str(tmp_path / "channels") in last
