"""Source files that are not parsed twice, and never taken for what they were before."""

import ast
import hashlib
import os
import time
from pathlib import Path

import pytest

from experiments.store import parsed
from experiments.store.parsed import ParsedFiles, parse


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A source file, the store beside it."""
    (tmp_path / "a.py").write_text("from .b import c as d\nx = 1\n")
    return tmp_path / "a.py"


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once."""
    monkeypatch.setattr(parsed, "SETTLED", -1)


def parses(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is parsed from now on."""
    seen: list[bytes] = []
    monkeypatch.setattr(parsed, "parse", lambda source: seen.append(source) or parse(source))
    return seen


def test_another_process_parses_nothing_again(file: Path, old: None, monkeypatch: pytest.MonkeyPatch):
    first = ParsedFiles()
    first.remember(file.parent)
    before = first.read(file)
    first.keep()
    seen = parses(monkeypatch)
    second = ParsedFiles()
    second.remember(file.parent)
    assert second.read(file) == before
    assert seen == []


@pytest.mark.parametrize("keep_times", [False, True])
def test_an_edit_of_the_same_length_is_seen_whatever_its_time(file: Path, old: None, keep_times: bool):
    files = ParsedFiles()
    before, times = files.read(file), file.stat()
    time.sleep(0.02)  # a tick of the file system's clock
    file.write_text(file.read_text().replace("1", "2"))
    if keep_times:
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert files.read(file) != before


def test_a_file_written_just_now_is_not_kept(file: Path):
    files = ParsedFiles()
    files.remember(file.parent)
    files.read(file)
    files.keep()
    assert files.known == {}
    assert not (file.parent / "source.json").exists()


def test_what_other_rules_have_found_counts_as_nothing(file: Path, old: None, monkeypatch: pytest.MonkeyPatch):
    first = ParsedFiles()
    first.remember(file.parent)
    first.read(file)
    first.keep()
    second = ParsedFiles()
    second.remember(file.parent)
    assert second.known == first.known
    monkeypatch.setattr(parsed, "RULES", "others")
    third = ParsedFiles()
    third.remember(file.parent)
    assert third.known == {}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rules": "2.7", "files": {}}', '{"files": 3}'])
def test_what_is_damaged_counts_as_nothing(file: Path, content: str):
    (file.parent / "source.json").write_text(content)
    files = ParsedFiles()
    files.remember(file.parent)
    assert files.read(file) == parse(file.read_bytes())


def test_digests_are_those_of_the_trees():
    """Keys of finished work rest on them."""
    source = "import os\nlegs = 2\n\n\ndef walk():\n    return legs\n"
    found = parse(source.encode())
    walk = hashlib.sha256(ast.dump(ast.parse(source).body[2]).encode()).hexdigest()[:16]
    legs = hashlib.sha256(ast.dump(ast.parse(source).body[1]).encode()).hexdigest()[:16]
    assert (found.parts["walk"].digest, found.rest.digest) == (walk, legs)
