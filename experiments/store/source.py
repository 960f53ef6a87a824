"""What code a result depends on: the definitions that it reaches, in all modules of one's own that it imports."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from experiments.store import modules
from experiments.store.modules import file_of, origin, parsed
from experiments.store.syntax import Imported, Part

WHOLE = None
"""In place of a name: everything that a module defines."""


def fingerprints(roots: Iterable[str]) -> dict[str, str]:
    """Hash of what is used of each module of one's own that the roots import, directly or not.

    Of a module count the functions and classes that are reached by their names, from the roots or from what runs when
    it is imported, the imports that these names come from, and everything that runs when it is imported. A class or
    function that is not mentioned does not count, unless the module finds definitions by their names while it runs
    (`globals()`, say), or some module asks for subclasses: then all do. Comments, docstrings, formatting and imports
    for type checkers alone never count. The machinery of `experiments` is not followed, unless it is a root: it decides
    when and where work is done, not what comes out.

    Args:
        roots: dotted names of modules, or of classes and functions in them.

    Returns:
        Module name to the first 16 hexadecimal digits of a SHA-256, sorted by name.
    """
    return dict(_fingerprints(tuple(sorted(set(roots)))))


def forget() -> None:
    """Read every file again, as a new process would: for sessions in which code is edited."""
    modules.forget()
    for function in (_fingerprints, _step, _when_imported):
        function.cache_clear()


@cache
def _fingerprints(roots: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    reached = _Reached()
    for root in roots:
        reached.add(*_placed(root))
    return tuple(sorted(reached.digests()))


def _placed(root: str) -> tuple[str, str | None]:
    """The module of a dotted name, and the name in it; a class may be nested in another, or be the module itself."""
    if file_of(root) is not None:
        return root, WHOLE
    words = root.split(".")
    for end in range(len(words) - 1, 0, -1):
        if file_of(".".join(words[:end])) is not None:
            return ".".join(words[:end]), words[end]
    return words[0], WHOLE


class _Reached:
    """What the roots reach: names of parts and imports by module."""

    def __init__(self) -> None:
        self.parts: dict[str, set[str]] = {}
        self.imports: dict[str, set[Imported]] = {}
        self.seen: set[tuple[str, str | None]] = set()
        self.subclasses_count = False

    def add(self, module: str, name: str | None) -> None:
        """A name in a module, or all of it, and everything that it reaches."""
        waiting: list[tuple[str, str | None]] = [(module, name)]
        while waiting:
            item = waiting.pop()
            if item not in self.seen and file_of(item[0]) is not None:
                self.seen.add(item)
                waiting += [following for following in self._next(*item) if following not in self.seen]
            if not waiting and self.subclasses_count:
                waiting = [(m, WHOLE) for m in self.parts if (m, WHOLE) not in self.seen]

    def digests(self) -> Iterator[tuple[str, str]]:
        """Each module, and the hash of what is used of it."""
        for module, names in self.parts.items():
            content = parsed(module)
            used = {name: content.parts[name].digest for name in sorted(names)}
            imports = sorted(((i.name, i.source, i.level, i.alias) for i in self.imports[module]), key=str)
            text = json.dumps([content.rest.digest, used, imports])
            yield module, hashlib.sha256(text.encode()).hexdigest()[:16]

    def _next(self, module: str, name: str | None) -> Iterable[tuple[str, str | None]]:
        if module not in self.parts:
            self.parts[module], self.imports[module] = set(), set()
            self.subclasses_count |= parsed(module).finds_subclasses
            yield from _when_imported(module)
        step = _step(module, name)
        self.parts[module].update(step.parts)
        self.imports[module].update(step.imports)
        yield from step.leads


class _Step(NamedTuple):
    """What a name in a module is: its part, if it has one, the imports that bring it, and what these mention."""

    parts: tuple[str, ...]
    imports: tuple[Imported, ...]
    leads: tuple[tuple[str, str | None], ...]


@cache
def _step(module: str, name: str | None) -> _Step:
    """The same from wherever it is reached: a sweep walks over it once for each of its schemes."""
    content = parsed(module)
    if name is WHOLE:
        parts, imports = (), content.imports
        leads = [(module, part) for part in content.parts]
    else:
        parts = (name,) if name in content.parts else ()
        imports = tuple(i for i in content.imports if i.called == name or i.name == "*")
        leads = [lead for part in parts for lead in _read(module, content.parts[part])]
    leads += [lead for imported in imports for lead in _origin(module, imported)]
    return _Step(parts, imports, _followed(leads))


@cache
def _when_imported(module: str) -> tuple[tuple[str, str | None], ...]:
    """What runs when a module is imported, for the first time."""
    content = parsed(module)
    leads = list(_read(module, content.rest))
    leads += [(found[0], "") for i in content.imports if (found := origin(module, i)) is not None]
    if content.finds_by_name:
        leads.append((module, WHOLE))
    return _followed(leads)


def _followed(leads: Iterable[tuple[str, str | None]]) -> tuple[tuple[str, str | None], ...]:
    """Each of what leads on once, but what has no source."""
    return tuple(lead for lead in dict.fromkeys(leads) if file_of(lead[0]) is not None)


def _read(module: str, part: Part) -> Iterator[tuple[str, str | None]]:
    """What a part mentions and imports."""
    yield from ((module, name) for name in part.names)
    for imported in part.imports:
        yield from _origin(module, imported)


def _origin(module: str, imported: Imported) -> Iterator[tuple[str, str | None]]:
    """What an import statement brings: a name, or a module of which anything may be used."""
    found = origin(module, imported)
    if found is not None:
        yield found[0], WHOLE if imported.name == "*" else found[1]
