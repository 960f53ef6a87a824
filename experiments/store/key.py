"""What identifies a result: a canonical description of the objects that it was made from."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from experiments.store.source import fingerprints

Description = dict[str, Any]
"""What JSON can hold."""


def describe(value: Any) -> Any:
    """A canonical description, JSON, of a value: equal values have equal descriptions, wherever they were made.

    A dataclass is its class and those fields of its constructor that are not at their default, so that one more field
    with a default changes nothing; what the defaults are is in the fingerprint of its module (see `code`). Any other
    object is its class and its attributes, as its constructor left them; a tensor, an array or a file (a field called
    `path`) the hash of its content, so that it may lie anywhere. An integral float equals the integer.

    Raises:
        TypeError: an object that holds something without a description; names it.

    >>> from channels import AWGN
    >>> describe({"channel": AWGN(), "snr_db": 5.0})
    {'channel': {'class': 'channels.awgn.AWGN'}, 'snr_db': 5}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((describe(item) for item in value), key=canonical)
    return _describe_object(value)


def _number(value: float) -> Any:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() else value


def _describe_object(value: Any) -> Any:
    if isinstance(value, Path | Enum):
        return str(value)
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return {"class": f"{value.__module__}.{value.__qualname__}"}
    kind = type(value)
    described = {"class": f"{kind.__module__}.{kind.__qualname__}"}
    if dataclasses.is_dataclass(value):
        defaults = _defaults(kind)
        given = {f.name: _describe_field(f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return described | {
            name: given[name] for name in given if given[name] != defaults.get(name, dataclasses.MISSING)
        }
    if hasattr(value, "numpy") or hasattr(value, "__array__"):
        array = value.numpy() if hasattr(value, "numpy") else value.__array__()
        digest = hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).hexdigest()
        return described | {"content": digest}
    if not hasattr(value, "__dict__"):
        raise TypeError(f"cannot describe {value!r}, so a result made with it cannot be found again: use a dataclass")
    return described | {name: describe(item) for name, item in sorted(vars(value).items())}


def _defaults(kind: type) -> dict[str, Any]:
    """The descriptions of a dataclass's defaults."""
    made = {
        f.name: f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
        for f in dataclasses.fields(kind)
        if f.init
    }
    return {name: _describe_field(name, value) for name, value in made.items() if value is not dataclasses.MISSING}


def _describe_field(name: str, value: Any) -> Any:
    if name == "path" and isinstance(value, str | Path) and Path(value).is_file():
        return {"content": hashlib.sha256(Path(value).read_bytes()).hexdigest()}
    return describe(value)


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


RUN_BY = {"training": (), "cell": ("experiments.cell", "experiments.stage")}
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
