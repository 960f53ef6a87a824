"""What code a result depends on: the parsed source of the modules that a stage imports."""

import importlib.util
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from experiments.store.parsed import Imported, Parsed, parsed_files

PROJECT = ("airdeliver", "channels")
"""Packages whose imports are followed wherever they are installed."""

_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def fingerprints(modules: Iterable[str]) -> dict[str, str]:
    """Hash of the source of each module and of those of one's own that it imports, directly or not.

    One's own are the project's packages and whatever lies outside of the standard library and of site-packages.
    Comments, docstrings and formatting do not count. Imports are read from the source, functions' bodies included;
    a name that a package merely re-exports leads to the module that defines it. The machinery of `experiments` is
    not followed: it decides when and where work is done, not what comes out.

    Args:
        modules: dotted names.

    Returns:
        Module name to the first 16 hexadecimal digits of the SHA-256 of its parsed source, sorted by name.
    """
    found: dict[str, str] = {}
    waiting = sorted(set(modules))
    while waiting:
        module = waiting.pop()
        if module in found or _file(module) is None:
            continue
        found[module] = _parsed(module).digest
        waiting += [other for other in _imports(module) if other not in found]
    return dict(sorted(found.items()))


def forget() -> None:
    """Read every file again, as a new process would: for sessions in which code is edited."""
    for function in (_imports, _is_own, _parsed, _file):
        function.cache_clear()


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of one's own that a module imports."""
    found = {
        node.name if node.source is None else _defining(_absolute(module, node), node.name)
        for node in _parsed(module).imports
    }
    return frozenset(name for name in found if _is_own(name))


def _defining(source: str, name: str) -> str:
    """The module that `from source import name` gets its name from."""
    if not _is_own(source):
        return source
    if _file(f"{source}.{name}") is not None:
        return f"{source}.{name}"
    for node in _parsed(source).exports if _is_package(source) else ():
        if node.alias == name:
            return _defining(_absolute(source, node), node.name)
    return source


def _absolute(module: str, node: Imported) -> str:
    if not node.level:
        return node.source or ""
    package = module.split(".") if _is_package(module) else module.split(".")[:-1]
    kept = package[: len(package) - node.level + 1]
    return ".".join([*kept, *([node.source] if node.source else [])])


@cache
def _is_own(module: str) -> bool:
    top = module.partition(".")[0]
    if top in PROJECT:
        return True
    if top in sys.stdlib_module_names or top == "experiments":
        return False
    file = _file(top)
    return file is not None and not any(file.is_relative_to(folder) for folder in _INSTALLED)


@cache
def _parsed(module: str) -> Parsed:
    file = _file(module)
    assert file is not None
    return parsed_files.read(file)


@cache
def _file(module: str) -> Path | None:
    """The source file of a module, found without importing it or any package that it is in."""
    parent, _, name = module.rpartition(".")
    if parent:
        for folder in _folders(parent):
            for candidate in (Path(folder, f"{name}.py"), Path(folder, name, "__init__.py")):
                if candidate.is_file():
                    return candidate.resolve()
        return None
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        loaded = None if spec is None else spec.origin
    return Path(loaded).resolve() if loaded and loaded.endswith(".py") else None


def _folders(package: str) -> list[str]:
    """Where the modules of a package lie; none if it is no package."""
    loaded = sys.modules.get(package)
    if loaded is not None:
        return list(getattr(loaded, "__path__", []))
    file = _file(package)
    return [str(file.parent)] if file is not None and file.name == "__init__.py" else []


def _is_package(module: str) -> bool:
    file = _file(module)
    return file is not None and file.name == "__init__.py"
