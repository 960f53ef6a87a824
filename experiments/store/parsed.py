"""A source file parsed to what identifies results: a hash and its imports; kept in the store between two sweeps."""

import ast
import hashlib
import json
import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.store.atomic import WriteError, write_bytes

SETTLED = 2 * 10**9
"""Nanoseconds after which a file that is written again has another time of change, on any file system."""


@dataclass(frozen=True)
class Imported:
    """One name of an import statement.

    Args:
        name: what is imported; the module itself for `import module`.
        source: the module after `from`, empty for `from . import name`; None for `import module`.
        level: leading dots.
        alias: what it is called here.
    """

    name: str
    source: str | None
    level: int
    alias: str


@dataclass(frozen=True)
class Parsed:
    """What identifies a source file.

    Args:
        digest: first 16 hexadecimal digits of the SHA-256 of its tree, without comments, docstrings and formatting.
        imports: everywhere in it, functions' bodies included.
        exports: names that it gets from others at its top level.
    """

    digest: str
    imports: tuple[Imported, ...]
    exports: tuple[Imported, ...]


class ParsedFiles:
    """Files parsed once; `remember` and `keep` carry what was found over to the next process.

    A file is known again by its path, inode, size and both of its times: the time of change cannot be set back. One
    that changed in the last two seconds is not kept, since it could change again within a tick of the clock.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[list[int], Parsed]] = {}
        self.file: Path | None = None
        self.is_new = False

    def read(self, path: Path) -> Parsed:
        """What a file holds now."""
        state = _state(path)
        found = self.known.get(str(path))
        if found is not None and found[0] == state:
            return found[1]
        parsed = parse(path.read_bytes())
        if time.time_ns() - max(state[2:]) > SETTLED:
            self.known[str(path)] = state, parsed
            self.is_new = True
        return parsed

    def remember(self, folder: Path) -> None:
        """Take over what an earlier process has left in a store; what is damaged counts as nothing."""
        self.file = folder / "source.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(self.file.read_bytes())
            if content["python"] == platform.python_version():
                self.known = {path: (state, _restored(plain)) for path, (state, plain) in content["files"].items()}

    def keep(self) -> None:
        """Leave what is known for the next process; a store that cannot be written to is no reason to stop."""
        if self.file is None or not self.is_new:
            return
        files = {path: (state, asdict(parsed)) for path, (state, parsed) in self.known.items()}
        with suppress(WriteError):
            write_bytes(self.file, json.dumps({"python": platform.python_version(), "files": files}).encode())
        self.is_new = False


parsed_files = ParsedFiles()
"""Those of this process."""


def parse(source: bytes) -> Parsed:
    """What identifies a source text.

    >>> parse(b"from a import b as c").imports
    (Imported(name='b', source='a', level=0, alias='c'),)
    >>> parse(b"x = 1  # a comment").digest == parse(b"x  =  1").digest
    True
    """
    tree = ast.parse(source)
    imports = tuple(imported for node in ast.walk(tree) for imported in _imported(node))
    exports = tuple(imported for node in tree.body if isinstance(node, ast.ImportFrom) for imported in _imported(node))
    digest = hashlib.sha256(ast.dump(_without_docstrings(tree)).encode()).hexdigest()[:16]
    return Parsed(digest, imports, exports)


def _imported(node: ast.AST) -> Iterator[Imported]:
    if isinstance(node, ast.Import):
        yield from (Imported(alias.name, None, 0, alias.asname or alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Imported(alias.name, node.module or "", node.level, alias.asname or alias.name)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree without the docstrings of its module, classes and functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = getattr(node.body[0], "value", None)
            if isinstance(node.body[0], ast.Expr) and isinstance(getattr(first, "value", None), str):
                node.body[:1] = []
    return tree


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _restored(plain: dict[str, Any]) -> Parsed:
    names = {part: tuple(Imported(**item) for item in plain[part]) for part in ("imports", "exports")}
    return Parsed(str(plain["digest"]), **names)
