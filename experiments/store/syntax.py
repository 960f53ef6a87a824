"""A source text as its definitions: what each is, and which names it reads."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PURE = {"abc", "builtins", "contextlib", "dataclasses", "enum", "functools", "typing"}
"""Modules whose decorators only make something of what they decorate."""

GRADIENTS = {"no_grad", "inference_mode", "enable_grad"}
"""Decorators of torch that do no more."""

BY_NAME = {"__name__", "eval", "exec", "globals", "locals", "vars"}
"""Names by which code finds definitions that it does not mention."""

ALL_SUBCLASSES = {"__init_subclass__", "__prepare__", "__subclasses__"}
"""What code does that acts on classes which it does not mention, wherever they are defined."""


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

    @property
    def called(self) -> str:
        """The name that code here says for it; `a` for `import a.b`."""
        return self.alias if self.source is not None else self.alias.partition(".")[0]


@dataclass(frozen=True)
class Part:
    """A piece of a source text.

    Args:
        digest: first 16 hexadecimal digits of the SHA-256 of its tree, without comments, docstrings and formatting.
        names: of definitions and imports at the top level of the source that it mentions, sorted.
        imports: within it.
    """

    digest: str
    names: tuple[str, ...]
    imports: tuple[Imported, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """What identifies a source text.

    Args:
        parts: functions and classes at its top level, by name.
        rest: everything that runs when it is imported and may have an effect on others; decorated definitions too,
            unless the decorator is known to do no more than make something of them.
        imports: at its top level, but those for type checkers alone.
        finds_by_name: whether it may use definitions of its own that it does not mention.
        finds_subclasses: whether it may act on classes that others define.
    """

    parts: dict[str, Part]
    rest: Part
    imports: tuple[Imported, ...]
    finds_by_name: bool
    finds_subclasses: bool


def parse(source: bytes) -> Parsed:
    """What identifies a source text.

    >>> parsed = parse(b"from a import b as c, d\\nlegs = 2\\ndef walk():  # slowly\\n    return c(legs)")
    >>> parsed.imports[0], parsed.parts["walk"].names
    (Imported(name='b', source='a', level=0, alias='c'), ('c',))
    >>> parse(b"x = 1  # a comment") == parse(b"x  =  1")
    True
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    named = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    methods = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    _drop_docstrings(nodes)
    body = [node for node in tree.body if not _is_for_type_checkers(node)]
    imports = tuple(imported for node in body for imported in _imported(node))
    sources = {imported.called: imported.source or imported.name for imported in imports}
    definitions: dict[str, list[ast.stmt]] = {}
    rest: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _only_defines(node, sources):
            definitions.setdefault(node.name, []).append(node)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            rest.append(node)
    known = None if "*" in sources else {*definitions, *sources}
    return Parsed(
        {name: _part(nodes, known) for name, nodes in definitions.items()},
        _part(rest, known),
        imports,
        bool(named & BY_NAME),
        bool((attributes | methods) & ALL_SUBCLASSES),
    )


def _part(nodes: list[ast.stmt], known: set[str] | None) -> Part:
    """A piece; of the names in it count those that are known, or all."""
    inside = [node for statement in nodes for node in ast.walk(statement)]
    text = "\n".join(ast.dump(statement) for statement in nodes)
    read = {node.id for node in inside if isinstance(node, ast.Name)}
    names = sorted(read if known is None else read & known)
    imports = tuple(imported for node in inside for imported in _imported(node))
    return Part(hashlib.sha256(text.encode()).hexdigest()[:16], tuple(names), imports)


def _only_defines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, sources: dict[str, str]) -> bool:
    """Whether running the statement does nothing but give a name to a function or a class."""
    if node.name.startswith("__"):  # `__getattr__` of a module
        return False
    if isinstance(node, ast.ClassDef) and node.keywords:  # a metaclass, or what a base makes of them
        return False
    return all(_is_pure(decorator, sources) for decorator in node.decorator_list)


def _is_pure(decorator: ast.expr, sources: dict[str, str]) -> bool:
    """Whether a decorator does nothing but make something of what it decorates."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Name):
        return sources.get(called.id, "") in PURE
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        source = sources.get(called.value.id, "")
        return source in PURE or (source == "torch" and called.attr in GRADIENTS)
    return False


def _is_for_type_checkers(node: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING:` without `else`, which never runs."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    return getattr(node.test, "id", getattr(node.test, "attr", None)) == "TYPE_CHECKING"


def _imported(node: ast.AST) -> Iterator[Imported]:
    if isinstance(node, ast.Import):
        yield from (Imported(alias.name, None, 0, alias.asname or alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Imported(alias.name, node.module or "", node.level, alias.asname or alias.name)


def _drop_docstrings(nodes: Iterable[ast.AST]) -> None:
    """Take the docstrings of modules, classes and functions out of their bodies."""
    for node in nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = getattr(node.body[0], "value", None)
            if isinstance(node.body[0], ast.Expr) and isinstance(getattr(first, "value", None), str):
                node.body[:1] = []


def restored(plain: dict) -> Parsed:
    """The inverse of `dataclasses.asdict`.

    Raises:
        KeyError, TypeError: something else than that.
    """
    parts = {str(name): _restored_part(part) for name, part in plain["parts"].items()}
    flags = (bool(plain["finds_by_name"]), bool(plain["finds_subclasses"]))
    return Parsed(parts, _restored_part(plain["rest"]), _restored_imports(plain["imports"]), *flags)


def _restored_part(plain: dict) -> Part:
    return Part(str(plain["digest"]), tuple(plain["names"]), _restored_imports(plain["imports"]))


def _restored_imports(plain: Iterable[dict]) -> tuple[Imported, ...]:
    return tuple(Imported(**item) for item in plain)
