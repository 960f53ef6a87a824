"""The configuration that overrides ask for, composed by Hydra and then checked: every key in it is one that is read."""

import copy
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.choices import CONF, LISTS, groups_of
from experiments.override import Override, quoted
from experiments.parameters import parameters_of
from experiments.refusal import ConfigurationError, first_line, suggestion

HYDRA = ("hydra.run.dir", "hydra.searchpath")
"""Of Hydra's own keys, those that have an effect."""

LARGEST = 2**63 - 1
"""Whole number that tables hold."""

UNSET = re.compile(r"Environment variable '(?P<name>[^']*)' not found")


def composed(overrides: list[Override], own: Path | None) -> DictConfig:
    """The configuration with Hydra's own node, all interpolations resolved but those of Hydra.

    An argument that a class takes and the configuration does not list needs no `+`.

    Args:
        overrides: of the command line, choices checked.
        own: a folder of configuration groups of one's own.

    Raises:
        ConfigurationError: an unknown key, with the nearest valid one; a key that nobody would read; a value that
            cannot be read, resolved, or held by a table.
    """
    for override in overrides:
        _check_hydra(override)
    groups = _groups(overrides, own)
    rest = [override for override in overrides if override not in groups]
    signed = any(override.sign for override in rest)
    known = _Keys(_compose(groups, own)) if signed else None
    if known is not None:
        for override in rest:
            known.check_sign(override)
    try:
        config = _compose(overrides, own)
    except ConfigurationError:
        # Which keys there are depends on the choices of the groups.
        known = known or _Keys(_compose(groups, own))
        amended = [override if override in groups else known.amended(override, rest) for override in overrides]
        if amended == overrides:
            raise
        config = _compose(amended, own)
    _resolve(config)
    for name in ("scheme", "channel", "dataset"):
        if not isinstance(config.get(name), DictConfig | None):
            raise ConfigurationError(
                f"{name} must have names and values, got {config[name]}: a file of a choice begins with "
                f"# @package {name}.NAME and holds _target_: module.Class"
            )
    for group in LISTS:
        nodes = config.get(group) or {}
        for name in nodes:
            node = "???" if OmegaConf.is_missing(nodes, name) else nodes[name]
            if not isinstance(node, DictConfig):
                raise ConfigurationError(f"{group}.{name} must be a class and its arguments, got {node!r}")
    return config


def derived(overrides: list[Override], own: Path | None) -> list[str]:
    """The schemes that an experiment derives itself, whichever of the group are chosen."""
    groups = [override for override in _groups(overrides, own) if override.key != "scheme"]
    return list(_compose([*groups, Override("", "scheme", "[]")], own).get("scheme") or {})


def unknown(key: str, config: DictConfig) -> ConfigurationError:
    """What a key is answered that a configuration does not have."""
    return _Keys(config).unknown(Override("", key, None))


def missing(node: Any, prefix: str = "") -> Iterator[str]:
    """Keys whose value has yet to be given."""
    for name in node:
        key = f"{prefix}{name}"
        if OmegaConf.is_missing(node, name):
            yield key
        elif isinstance(node[name], DictConfig):
            yield from missing(node[name], f"{key}.")


def _check_hydra(override: Override) -> None:
    if re.split("[./@]", override.key)[0] == "hydra" and (override.key not in HYDRA or override.sign):
        raise ConfigurationError(f"{override} has no effect: of Hydra's own keys, hydra.run.dir=FOLDER alone is read")


def _groups(overrides: list[Override], own: Path | None) -> list[Override]:
    """The overrides that say which keys there are."""
    groups = groups_of([CONF, *([own] if own else [])])
    return [o for o in overrides if o.key.partition("@")[0] in groups or o.key in HYDRA]


def _spelled(overrides: Iterable[Override]) -> Iterator[str]:
    """As Hydra reads them; a number of realizations in braces takes the place of another, and is not merged with it."""
    for override in overrides:
        text = override.spelled()
        if text.startswith("realizations={"):
            yield "~realizations"
            text = f"+{text}"
        yield text


def _compose(overrides: list[Override], own: Path | None) -> DictConfig:
    """What Hydra composes; it takes values over what choices make, as Hydra does, so that these are composed once."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException
    from hydra.types import RunMode

    choices = [override for override in overrides if _is_choice(override, own)]
    if any((override.value or "").lstrip().startswith("{") for override in choices):
        choices = overrides  # a mapping for a group is a value, and the last value counts
    try:
        values = OverridesParser.create().parse_overrides(
            list(_spelled(override for override in overrides if override not in choices))
        )
        ConfigLoaderImpl.validate_sweep_overrides_legal(values, RunMode.RUN, from_shell=False)
        is_ours = own is None and all(override.key != "hydra.searchpath" for override in choices)
        config = copy.deepcopy(_composed_once(tuple(choices))) if is_ours else _composed(choices, own)
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
    except OverrideParseException as error:
        raise ConfigurationError(f"cannot read {error.override!r}: {first_line(error)}") from error
    except Exception as error:  # a file of one's own may raise whatever reading it can
        raise ConfigurationError(first_line(error)) from error
    return config


def _is_choice(override: Override, own: Path | None) -> bool:
    """Whether Hydra may read files for it."""
    groups = groups_of([CONF, *([own] if own else [])])
    return override.key == "hydra.searchpath" or override.key in groups or any(mark in override.key for mark in "@/")


@lru_cache(maxsize=64)
def _composed_once(choices: tuple[Override, ...]) -> DictConfig:
    """Of our own files alone, which are read once a process."""
    return _composed(list(choices), None)


def _composed(choices: list[Override], own: Path | None) -> DictConfig:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    search = [f"hydra.searchpath=[{quoted(f'file://{own.resolve()}')}]"] if own else []
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("sweep", [*search, *_spelled(choices)], return_hydra_config=True)


class _Keys:
    """The keys that a configuration has, and those that the classes in it take.

    Args:
        config: composed of the choices alone.
    """

    def __init__(self, config: DictConfig) -> None:
        self.config = config
        self.known = list(_keys(config))

    def check_sign(self, override: Override) -> None:
        """Refuse to add what nobody would read, or to take out what is needed."""
        if not override.sign or "@" in override.key:
            return
        parts = override.key.split(".")
        if override.sign == "~":
            if override.key not in self.known:
                raise self.unknown(override)
            if not self._is_of_class(override) and not (len(parts) == 2 and parts[0] in LISTS):
                raise ConfigurationError(f"{override.key} cannot be taken out: give it another value")
        elif override.key in self.known:
            if override.sign == "+":
                raise ConfigurationError(f"{override.key} is there already: give it without +")
        elif not self._is_of_class(override):
            raise self.unknown(override)

    def amended(self, override: Override, given: list[Override]) -> Override:
        """An override that the configuration does not list, as an addition if its class takes it.

        Args:
            override: with or without a sign.
            given: all of them: an earlier one may have put a class where this one goes.

        Raises:
            ConfigurationError: there is no such key.
        """
        if override.sign or override.key in self.known:
            return override
        parts = override.key.split(".")
        placed = {o.key.removesuffix("._target_") for o in given if o.key.endswith("._target_") and o != override}
        for end in range(len(parts) - 1, 0, -1):
            if ".".join(parts[:end]) in placed:
                return Override("+", override.key, override.value)
            node = self._node(parts[:end])
            if _is_class(node):
                taken = None if OmegaConf.is_missing(node, "_target_") else parameters_of(str(node["_target_"]))
                if taken is None or parts[end] in taken:
                    return Override("+", override.key, override.value)
                raise self.unknown(override, [".".join([*parts[:end], name]) for name in taken])
        raise self.unknown(override)

    def unknown(self, override: Override, more: list[str] | None = None) -> ConfigurationError:
        """What a key is answered that is not there."""
        near = suggestion(override.key, [*self.known, *(more or [])])
        return ConfigurationError(f"unknown key {override.key!r}{near}; --show prints all of them")

    def _is_of_class(self, override: Override) -> bool:
        """Whether a key lies under a class, which gets it as an argument."""
        parts = override.key.split(".")
        return any(_is_class(self._node(parts[:end])) for end in range(1, len(parts)))

    def _node(self, parts: list[str]) -> Any:
        node: Any = self.config
        for part in parts:
            if not isinstance(node, DictConfig) or part not in node or OmegaConf.is_missing(node, part):
                return None
            node = node[part]
        return node


def _is_class(node: Any) -> bool:
    """Whether a node describes an object; that its class has yet to be named, as in `scheme=[own]`, is no matter."""
    return isinstance(node, DictConfig) and "_target_" in list(node)


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    for name in node:
        key = f"{prefix}{name}"
        yield key
        if key != "hydra" and not OmegaConf.is_missing(node, name) and isinstance(node[name], DictConfig):
            yield from _keys(node[name], f"{key}.")


def _resolve(config: DictConfig) -> None:
    """Put values in the place of interpolations, and look at every number."""
    name = "hydra.run.dir"
    try:
        _ = config.hydra.run.dir
        for name in [str(name) for name in config if name != "hydra"]:
            if OmegaConf.is_missing(config, name):
                continue
            value = config[name]
            if isinstance(value, DictConfig | ListConfig):
                OmegaConf.resolve(value)
            config[name] = value
            _check_numbers(value, name)
    except (OmegaConfBaseException, RecursionError) as error:
        key = getattr(error, "full_key", None) or name
        unset = UNSET.search(str(error))
        if unset is not None:
            raise ConfigurationError(f"{key} needs environment variable {unset['name']}, which is not set") from error
        raise ConfigurationError(f"{key}: {first_line(error)}") from error


def _check_numbers(value: Any, key: str) -> None:
    """Refuse whole numbers that no table holds: a sweep with them would fail once all its work is done."""
    if isinstance(value, DictConfig):
        for name in value:
            if not OmegaConf.is_missing(value, name):
                _check_numbers(value[name], f"{key}.{name}")
    elif isinstance(value, ListConfig):
        for item in value:
            _check_numbers(item, key)
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise ConfigurationError(f"{key} must be at most {LARGEST}, which is what tables hold, got {value}")
