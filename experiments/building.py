"""From a node of the configuration to the object that it describes."""

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from experiments.command_line import ConfigurationError, suggestion


def build(node: Any, key: str, besides: tuple[str, ...] = ()) -> Any:
    """The object that a node with a `_target_` describes, its arguments built first; lists become tuples.

    A node without `_target_`, where the class has a default, is that default with the given values changed:
    `link: {receiver: mixture}`.

    Args:
        node: of the configuration.
        key: where it stands, for messages.
        besides: names in it that are no arguments.

    Raises:
        ConfigurationError: no such class, or arguments that it refuses, in one line that names the node.
    """
    if not isinstance(node, DictConfig) or "_target_" not in node:
        raise ConfigurationError(f"{key} needs a class: give {key}._target_=module.Class")
    if OmegaConf.is_missing(node, "_target_"):
        raise ConfigurationError(f"{key} needs a value: give {key}._target_=VALUE")
    with in_one_line(key):
        target = _located(str(node["_target_"]))
    arguments = _arguments(node, key, lambda name: _default(target, name), (*besides, "_target_"))
    with in_one_line(key):
        _check_arguments(target, arguments)
        return target(**arguments)


def _arguments(node: DictConfig, key: str, present: Callable[[str], Any], besides: tuple[str, ...] = ()) -> Any:
    """The values in a node by name, built; `present` gives what a value without `_target_` is a change of."""
    for name in node:
        if OmegaConf.is_missing(node, name):
            raise ConfigurationError(f"{key} needs a value: give {key}.{name}=VALUE")
    given = ((str(name), value) for name, value in node.items() if name not in besides)
    return {name: _changed(present(name), value, f"{key}.{name}") for name, value in given}


def _changed(present: Any, value: Any, key: str) -> Any:
    """What a value describes; where it is a node without `_target_`, the dataclass that is there, changed by it."""
    there = dataclasses.is_dataclass(present) and not isinstance(present, type)
    if not there or not isinstance(value, DictConfig) or "_target_" in value:
        return _built(value, key)
    arguments = _arguments(value, key, lambda name: getattr(present, name, None))
    with in_one_line(key):
        _check_arguments(type(present), arguments)
        return dataclasses.replace(present, **arguments)  # type: ignore[type-var]


def _default(target: Any, name: str) -> Any:
    """What an argument of a dataclass is if it is not given; None for any other callable."""
    fields = {field.name: field for field in dataclasses.fields(target)} if dataclasses.is_dataclass(target) else {}
    field = fields.get(name)
    if field is None or field.default_factory is dataclasses.MISSING:
        return None if field is None or field.default is dataclasses.MISSING else field.default
    return field.default_factory()


def _check_arguments(target: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse a name that is no argument, with the nearest that is."""
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # written in C
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in arguments:
        if name not in parameters:
            called = getattr(target, "__name__", target)
            raise ValueError(f"{called} takes {', '.join(parameters)}, but no {name}{suggestion(name, parameters)}")


@contextmanager
def in_one_line(key: str) -> Iterator[None]:
    """What goes wrong in it as a `ConfigurationError`: the first line of what began it, after the node's name."""
    try:
        yield
    except Exception as error:  # a class of the user's may raise anything
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        first, *_ = str(cause).splitlines() or [type(cause).__name__]
        raise ConfigurationError(f"{key}: {' '.join(first.split())}") from error


def _located(target: str) -> Any:
    """What a dotted name stands for."""
    module, _, name = target.rpartition(".")
    if not module:
        raise ValueError(f"_target_ must be module.Class, got {target!r}")
    found = importlib.import_module(module)
    if not hasattr(found, name):
        raise ValueError(f"module {module} has no {name}{suggestion(name, vars(found))}")
    return getattr(found, name)


def _built(value: Any, key: str) -> Any:
    if isinstance(value, ListConfig):
        return tuple(_built(item, f"{key}[{number}]") for number, item in enumerate(value))
    if not isinstance(value, DictConfig):
        in_decibels = key.partition("[")[0].endswith("_db") and type(value) is int
        return float(value) if in_decibels else value
    if "_target_" in value:
        return build(value, key)
    return {name: _built(item, f"{key}.{name}") for name, item in value.items()}
