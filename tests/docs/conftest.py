"""What the tests of pages share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """The folder of somebody who follows a page, with the modules that the page shows, by name and text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AIRDELIVER_CACHE", str(tmp_path / "cache"))
    written: list[str] = []

    def folder(**modules: str) -> Path:
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        written.extend(modules)
        return tmp_path

    yield folder
    for name in written:
        sys.modules.pop(name, None)
