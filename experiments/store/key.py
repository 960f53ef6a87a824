"""What identifies a result: a canonical description of the objects that it was made from."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from airdeliver.plain import dotted, to_plain
from experiments.store.source import fingerprints

Description = dict[str, Any]
"""What JSON can hold."""


def describe(value: Any) -> Any:
    """A canonical description, JSON, of a value: equal values have equal descriptions, wherever they were made.

    It is what `airdeliver.plain.to_plain` makes of it, so a dataclass is its class and those fields of its constructor
    that are not at their default, and one more field with a default changes nothing; what the defaults are is in the
    fingerprint of its module (see `code`). Any other object is its class and its attributes, as its constructor left
    them; a tensor, an array or a file (a field called `path`) the hash of its content, so that it may lie anywhere.
    An integral float equals the integer.

    Raises:
        TypeError: an object that holds something without a description; names it.

    >>> from channels import AWGN
    >>> describe({"channel": AWGN(), "snr_db": 5.0})
    {'channel': {'class': 'channels.awgn.AWGN'}, 'snr_db': 5}
    """
    return _canonical(to_plain(value, _other, brief=True))


def _other(value: Any) -> Any:
    """What is no number, text, sequence, mapping or dataclass."""
    if isinstance(value, set | frozenset):
        return sorted((describe(item) for item in value), key=canonical)
    if isinstance(value, Path | Enum):
        return str(value)
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return {"class": dotted(value)}
    if hasattr(value, "numpy") or hasattr(value, "__array__"):
        array = value.numpy() if hasattr(value, "numpy") else value.__array__()
        content = f"{array.dtype}{array.shape}".encode() + array.tobytes()
        return {"class": dotted(type(value)), "content": hashlib.sha256(content).hexdigest()}
    if not hasattr(value, "__dict__"):
        raise TypeError(f"cannot describe {value!r}, so a result made with it cannot be found again: use a dataclass")
    held = {name: to_plain(item, _other, brief=True) for name, item in vars(value).items()}
    return {"class": dotted(type(value)), **held}


def _canonical(plain: Any) -> Any:
    """The same, with one way to write a number, and files as their content."""
    if isinstance(plain, float):
        return _number(plain)
    if isinstance(plain, list):
        return [_canonical(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    of_object = "class" in plain
    return {name: _file(item) if of_object and name == "path" else _canonical(item) for name, item in plain.items()}


def _number(value: float) -> Any:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() else value


described: set[Path] = set()
"""Files whose content is part of a description that this process has made."""


def _file(path: Any) -> Any:
    """The content of a file, if there is one."""
    if isinstance(path, str) and Path(path).is_file():
        described.add(Path(path).resolve())
        return {"content": hashlib.sha256(Path(path).read_bytes()).hexdigest()}
    return _canonical(path)


def classes(description: Any) -> Iterator[str]:
    """The dotted names of all classes in a description."""
    if isinstance(description, Mapping):
        if isinstance(description.get("class"), str):
            yield description["class"]
        for item in description.values():
            yield from classes(item)
    elif isinstance(description, list):
        for item in description:
            yield from classes(item)


RUN_BY = {
    "training": (),
    "cell": ("experiments.cell", "experiments.stage"),
    "conformance": ("airdeliver.conformance.check",),
}
"""Modules that a stage runs beside the classes of its description."""


def code(kind: str, description: Mapping[str, Any]) -> dict[str, str]:
    """Fingerprints of the modules that a stage imports.

    Args:
        kind: of the stage.
        description: of the stage: the classes in it are looked up.
    """
    return fingerprints([*RUN_BY[kind], *classes(description)])


def canonical(description: Any) -> str:
    """The one text of a description."""
    return json.dumps(description, sort_keys=True, separators=(",", ":"))


def digest(description: Any) -> str:
    """SHA-256 of the canonical text, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(description).encode()).hexdigest()
