"""Where modules of one's own lie, and what their import statements lead to; nothing is imported to find out."""

import importlib.util
import sys
import sysconfig
from functools import cache
from pathlib import Path

from experiments.store.parsed import parsed_files
from experiments.store.syntax import Imported, Parsed

PROJECT = ("airdeliver", "channels")
"""Packages whose imports are followed wherever they are installed."""

_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))


@cache
def parsed(module: str) -> Parsed:
    """What a module's source holds."""
    file = file_of(module)
    assert file is not None
    return parsed_files.read(file)


@cache
def is_own(module: str) -> bool:
    """Whether it is of the project or lies outside of the standard library and of site-packages.

    The machinery of `experiments` does not count: it decides when and where work is done, not what comes out.
    """
    top = module.partition(".")[0]
    if top in PROJECT:
        return True
    if top in sys.stdlib_module_names or top == "experiments":
        return False
    file = file_of(top)
    return file is not None and not any(file.is_relative_to(folder) for folder in _INSTALLED)


@cache
def file_of(module: str) -> Path | None:
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


def is_package(module: str) -> bool:
    """Whether it has modules of its own."""
    file = file_of(module)
    return file is not None and file.name == "__init__.py"


@cache
def origin(module: str, imported: Imported) -> tuple[str, str | None] | None:
    """The module of one's own that an imported name is defined in, and its name there.

    A name that a package merely re-exports leads to the module that defines it.

    Args:
        module: that the import statement is in.
        imported: one name of it.

    Returns:
        No name for a module itself; None for a module of others.
    """
    found = (imported.name, None) if imported.source is None else _defining(absolute(module, imported), imported.name)
    return found if is_own(found[0]) and file_of(found[0]) is not None else None


def absolute(module: str, imported: Imported) -> str:
    """The module after `from`, leading dots resolved."""
    if not imported.level:
        return imported.source or ""
    package = module.split(".") if is_package(module) else module.split(".")[:-1]
    kept = package[: len(package) - imported.level + 1]
    return ".".join([*kept, *([imported.source] if imported.source else [])])


def forget() -> None:
    """Look at every file again."""
    for function in (parsed, is_own, file_of, origin):
        function.cache_clear()


def _defining(source: str, name: str) -> tuple[str, str | None]:
    """Where `from source import name` gets its name from."""
    if not is_own(source):
        return source, name
    if file_of(f"{source}.{name}") is not None:
        return f"{source}.{name}", None
    for imported in parsed(source).imports if is_package(source) else ():
        if imported.alias == name and imported.source is not None:
            return _defining(absolute(source, imported), imported.name)
    return source, name


def _folders(package: str) -> list[str]:
    """Where the modules of a package lie; none if it is no package."""
    loaded = sys.modules.get(package)
    if loaded is not None:
        return list(getattr(loaded, "__path__", []))
    file = file_of(package)
    return [str(file.parent)] if file is not None and file.name == "__init__.py" else []
