"""From a node of the configuration to the object that it describes: checked first, then built by Hydra."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, get_args

from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf

from experiments.command_line import ConfigurationError, suggestion
from experiments.typed import declared_types, is_text_for_a_number, mistyped, said

HYDRA = ("_target_", "_args_", "_convert_", "_partial_", "_recursive_")
"""What `hydra.utils.instantiate` reads of a node; everything else is an argument."""

PLACE = re.compile(r"^full_key: (\S+)", re.MULTILINE)
"""Where Hydra says that building has failed."""


def build(node: Any, key: str, besides: tuple[str, ...] = ()) -> Any:
    """The object that a node with a `_target_` describes, its arguments built first; lists become tuples.

    A node without `_target_`, where the class has a default, is that default with the given values changed:
    `link: {receiver: mixture}`. An integer is a float where the class takes one.

    Args:
        node: of the configuration.
        key: where it stands, for messages.
        besides: names in it that are no arguments.

    Raises:
        ConfigurationError: no such class, or arguments that it refuses, in one line that names the node.
    """
    if not isinstance(node, DictConfig) or "_target_" not in node:
        raise ConfigurationError(f"{key} needs a class: give {key}._target_=module.Class")
    described = _described(node, key, besides)
    with in_one_line(key):
        built = instantiate(described, _convert_="all")
    for fault in mistyped(built, key):
        raise ConfigurationError(fault)
    return built


def together(*items: Any) -> tuple[Any, ...]:
    """A list of a configuration: a tuple, since what identifies results must not change."""
    return items


def changed(target: str, path: Sequence[str], /, **values: Any) -> Any:
    """The default that a class has for an argument, or for one within it, with some fields changed.

    >>> changed("airdeliver.schemes.Clean", ("link",), side_information_rate=1.0).side_information_rate
    1.0
    """
    return dataclasses.replace(_default(located(target), path), **values)


def located(target: str) -> Any:
    """What a dotted name stands for.

    Raises:
        ValueError: there is no such thing, with the nearest that there is.
    """
    module, _, name = target.rpartition(".")
    if not module:
        raise ValueError(f"_target_ must be module.Class, got {target!r}")
    found = importlib.import_module(module)
    if not hasattr(found, name):
        raise ValueError(f"module {module} has no {name}{suggestion(name, vars(found))}")
    return getattr(found, name)


def _described(node: DictConfig, key: str, besides: tuple[str, ...] = ()) -> dict[str, Any]:
    """A node with a class as `instantiate` reads it: names checked, every default that is changed in it named."""
    if OmegaConf.is_missing(node, "_target_"):
        raise ConfigurationError(f"{key} needs a value: give {key}._target_=VALUE")
    target = str(node["_target_"])
    with in_one_line(key):
        kind = located(target)
    arguments = _arguments(node, key, kind, target, (), besides)
    return {**{name: node[name] for name in node if name in HYDRA}, **arguments}


def _arguments(
    node: DictConfig, key: str, kind: Any, target: str, path: tuple[str, ...], besides: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The values in a node by name, each as `instantiate` reads it.

    Args:
        node: of the configuration.
        key: where it stands.
        kind: whose arguments they are.
        target: the class around it that was named.
        path: of the default of that class which `node` changes; empty for the class itself.
        besides: names that are no arguments.
    """
    for name in node:
        if OmegaConf.is_missing(node, name):
            raise ConfigurationError(f"{key} needs a value: give {key}.{name}=VALUE")
    given = {str(name): value for name, value in node.items() if name not in (*besides, *HYDRA)}
    with in_one_line(key):
        parameters = _parameters(kind, given)
    values = {}
    for name, value in given.items():
        if is_text_for_a_number(value, kind, name):
            raise ConfigurationError(f"{key}.{name} must be {said(declared_types(kind)[name])}, got {value!r}")
        values[name] = _value(value, f"{key}.{name}", target, (*path, name))
        if type(value) is int and name in parameters and _takes_a_float(parameters[name]):
            values[name] = float(value)
    return values


def _value(value: Any, key: str, target: str, path: tuple[str, ...]) -> Any:
    """What a value describes; a mapping without `_target_` changes the dataclass that is there by default."""
    if isinstance(value, ListConfig):
        items = [_value(item, f"{key}[{number}]", target, ()) for number, item in enumerate(value)]
        return {"_target_": f"{__name__}.together", "_args_": items}
    if not isinstance(value, DictConfig):
        return value
    if "_target_" in value:
        return _described(value, key)
    present = _default(located(target), path) if path else None
    if not dataclasses.is_dataclass(present) or isinstance(present, type):
        return {name: _value(item, f"{key}.{name}", target, ()) for name, item in value.items()}
    arguments = _arguments(value, key, type(present), target, path)
    return {"_target_": f"{__name__}.changed", "_args_": [target, list(path)], **arguments}


def _default(target: Any, path: Sequence[str]) -> Any:
    """What an argument of a dataclass is if it is not given, and then fields within; None where there is none."""
    name, *inner = path
    fields = {field.name: field for field in dataclasses.fields(target)} if dataclasses.is_dataclass(target) else {}
    field = fields.get(name)
    if field is None or field.default_factory is dataclasses.MISSING:
        found = None if field is None or field.default is dataclasses.MISSING else field.default
    else:
        found = field.default_factory()
    for name in inner:
        found = getattr(found, name, None)
    return found


def _parameters(target: Callable[..., Any], names: Mapping[str, Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters that a class has.

    Raises:
        ValueError: a name that is no argument, with the nearest that is.
    """
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # written in C
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return parameters
    for name in names:
        if name not in parameters:
            called = getattr(target, "__name__", target)
            raise ValueError(f"{called} takes {', '.join(parameters)}, but no {name}{suggestion(name, parameters)}")
    return parameters


def _takes_a_float(parameter: inspect.Parameter) -> bool:
    kinds = get_args(parameter.annotation) or (parameter.annotation,)
    return float in kinds and int not in kinds


@contextmanager
def in_one_line(key: str) -> Iterator[None]:
    """What goes wrong in it as a `ConfigurationError`: the first line of what began it, after the node's name."""
    try:
        yield
    except (ConfigurationError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a class of the user's may raise anything, or call sys.exit
        place = PLACE.search(str(error))
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        first, *_ = str(cause).splitlines() or [type(cause).__name__]
        if not isinstance(cause, Exception):
            first = f"{type(cause).__name__}: {first}"
        if isinstance(cause, ModuleNotFoundError):
            first += ": is its file in this folder, or its folder on PYTHONPATH?"
        where = f"{key}.{place.group(1)}" if place else key
        raise ConfigurationError(f"{where}: {' '.join(first.split())}") from error
