"""The command line: read before Hydra, so that it says what a person would say."""

import difflib
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.variants import asked_for, experiments_with, keep, with_bases, without_scheme

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONF = Path(__file__).parent / "conf"
OVERRIDE = re.compile(r"(?P<sign>\+\+|\+|~)?(?P<key>[^=\s]+)(?:=(?P<value>.*))?", re.DOTALL)
OWN = ("channel", "scheme", "model")
"""Groups into which a class of one's own can be put by `GROUP._target_=module.Class`."""


class ConfigurationError(SystemExit):
    """A command that cannot be meant: ends the program with its one line."""


@dataclass(frozen=True)
class Command:
    """What was asked for.

    Args:
        config: composed by Hydra, without Hydra's own node.
        choices: of each group.
        experiment: name of the experiment.
        folder: of the results.
        dry_run: print the plan and do nothing.
        show: print the configuration and do nothing.
    """

    config: "DictConfig"
    choices: dict[str, Any]
    experiment: str
    folder: Path
    dry_run: bool
    show: bool


def read(arguments: list[str]) -> Command:
    """Compose the configuration that the arguments ask for.

    Raises:
        ConfigurationError: an unknown key, choice or option, with the nearest valid one; a malformed value.
    """
    overrides, dry_run, show, own = _options(arguments)
    folders = [CONF, *([own] if own else [])]
    overrides = rewrite(overrides, folders)
    asked = asked_for(overrides)
    for override in overrides:
        if asked is None or not override.startswith("scheme="):
            _check_choice(override, folders)
    if asked is not None:
        overrides = _with_variants(asked, overrides, folders, own)
    # A scheme's class knows its arguments, whether the configuration lists them or not.
    config = _compose([f"++{o}" if o.startswith("scheme.") else o for o in overrides], own)
    if asked is not None:
        keep(config, asked)
    unread = without_scheme(overrides, config)
    if unread is not None:
        raise _unknown(unread, list(_keys(config)))
    choices = dict(config.hydra.runtime.choices)
    folder = Path(config.hydra.run.dir)
    from omegaconf import open_dict

    with open_dict(config):
        config.pop("hydra")
    return Command(config, choices, str(choices["experiment"]), folder, dry_run, show)


def _with_variants(asked: list[str], overrides: list[str], folders: list[Path], own: Path | None) -> list[str]:
    """The overrides with those of the schemes asked for that the experiment does not derive itself."""
    groups = [override for override in overrides if _is_group(override, own)]
    derived = _compose(with_bases(groups, []), own).get("scheme") or {}
    bases = [name for name in asked if name not in derived]
    for name in bases:
        found = experiments_with(name, folders) if name not in choices_of("scheme", folders) else []
        if found:
            raise ConfigurationError(
                f"scheme {name!r} is a variant of experiment={found[0]}: give that experiment, or change a base as "
                f"you like, scheme.airnet.KEY=VALUE"
            )
        _check_choice(f"scheme=[{name}]", folders)
    return with_bases(overrides, bases)


def _options(arguments: list[str]) -> tuple[list[str], bool, bool, Path | None]:
    """Overrides apart from options."""
    overrides: list[str] = []
    dry_run = show = False
    own: Path | None = None
    rest = iter(arguments)
    for argument in rest:
        name, _, value = argument.partition("=")
        if argument == "--dry-run":
            dry_run = True
        elif argument == "--show":
            show = True
        elif name == "--config-dir":
            own = Path(value or next(rest, ""))
            if not own.is_dir() or own == Path():
                raise ConfigurationError(f"--config-dir must be a folder of configuration groups, got {str(own)!r}")
        elif argument.startswith("-") and "=" not in argument.lstrip("-")[:1]:
            known = ("--help", "--dry-run", "--show", "--config-dir")
            raise ConfigurationError(f"unknown option {argument}{suggestion(argument, known)}; --help lists them")
        else:
            overrides.append(argument)
    return overrides, dry_run, show, own


def rewrite(overrides: list[str], folders: Iterable[Path] = (CONF,)) -> list[str]:
    """Turn what a person would type into what Hydra understands.

    `channel._target_=x.Y channel.k=v` puts a class of one's own into the group; `dataset=NAME` without such a choice
    asks the hub.

    >>> rewrite(["channel._target_=my.Channel", "channel.depth=3"])
    ['channel=[own]', 'channel.own._target_=my.Channel', '+channel.own.depth=3']
    >>> rewrite(["dataset=mnist", "snr_db=[0,5]"])
    ['dataset=hub', 'dataset.name=mnist', 'snr_db=[0,5]']
    """
    for group in OWN:
        if any(o.startswith(f"{group}._target_=") for o in overrides):
            overrides = _with_own(overrides, group)
    rewritten: list[str] = []
    for override in overrides:
        key, _, value = override.partition("=")
        if key == "dataset" and value and value not in choices_of("dataset", folders):
            rewritten += ["dataset=hub", f"dataset.name={value}"]
        else:
            rewritten.append(override)
    return rewritten


def _with_own(overrides: list[str], group: str) -> list[str]:
    is_list = group != "model"
    node = f"{group}.own" if is_list else group
    chosen = [o.partition("=")[2].strip("[] ") for o in overrides if o.startswith(f"{group}=")]
    names = [name.strip() for name in ",".join(chosen).split(",") if name.strip() not in ("", "own")]
    rewritten = [f"{group}=[{','.join([*names, 'own'])}]" if is_list else f"{group}=own"]
    for override in overrides:
        key, _, value = override.partition("=")
        if key == group:
            continue
        if key.startswith(f"{group}.") and not any(key.startswith(f"{group}.{name}.") for name in names):
            argument = key.removeprefix(f"{group}.")
            sign = "" if argument == "_target_" else "+"
            rewritten.append(f"{sign}{node}.{argument}={value}")
        else:
            rewritten.append(override)
    return rewritten


def choices_of(group: str, folders: Iterable[Path] = (CONF,)) -> list[str]:
    """The choices of a group, sorted."""
    return sorted({file.stem for folder in folders for file in (folder / group).glob("*.yaml")})


def groups_of(folders: Iterable[Path] = (CONF,)) -> list[str]:
    """The groups, sorted."""
    return sorted({entry.name for folder in folders for entry in folder.iterdir() if entry.is_dir()})


def _check_choice(override: str, folders: list[Path]) -> None:
    """Refuse an unknown choice of a group."""
    match = OVERRIDE.fullmatch(override)
    if match is None or (match["value"] is None and match["sign"] != "~"):
        raise ConfigurationError(f"expected key=value, got {override!r}: --help shows examples")
    if match["sign"] in ("+", "++") and "." not in match["key"]:
        raise _unknown(match["key"])
    if match["key"] not in groups_of(folders) or match["sign"] == "~":
        return
    known = choices_of(match["key"], folders)
    for name in (match["value"] or "").strip("[] ").split(","):
        name = name.strip(" '\"")
        if name and name not in known:
            raise ConfigurationError(
                f"unknown {match['key']} {name!r}{suggestion(name, known)}; there are {', '.join(known)}"
            )


def _compose(overrides: list[str], own: Path | None) -> "DictConfig":
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    search = [f"hydra.searchpath=[file://{own.resolve()}]"] if own else []
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            return compose("sweep", [*search, *overrides], return_hydra_config=True)
        except OverrideParseException as error:
            raise ConfigurationError(f"cannot read {error.override!r}: {_first_line(error)}") from error
        except (HydraException, OmegaConfBaseException) as error:
            # Which keys there are depends on the choices of the groups.
            groups = [o for o in overrides if _is_group(o, own)]
            with suppress(HydraException, OmegaConfBaseException):
                known = _keys(compose("sweep", [*search, *groups], return_hydra_config=True))
                _check_keys([o for o in overrides if o not in groups], list(known))
            raise ConfigurationError(_first_line(error)) from error


def _is_group(override: str, own: Path | None) -> bool:
    match = OVERRIDE.fullmatch(override)
    key = "" if match is None else match["key"]
    return key.startswith("hydra.") or key in groups_of([CONF, *([own] if own else [])])


def _check_keys(overrides: list[str], known: list[str]) -> None:
    """Refuse a key that the configuration does not have, unless it is added with `+`."""
    for override in overrides:
        match = OVERRIDE.fullmatch(override)
        if match is not None and match["key"] not in known and match["sign"] not in ("+", "++"):
            raise _unknown(match["key"], known)


def _unknown(key: str, known: Iterable[str] = ()) -> ConfigurationError:
    return ConfigurationError(f"unknown key {key!r}{suggestion(key, known)}; --show prints all of them")


def _keys(node: Any, prefix: str = "") -> Iterable[str]:
    from omegaconf import DictConfig, OmegaConf

    for name in node:
        key = f"{prefix}{name}"
        yield key
        if key != "hydra" and not OmegaConf.is_missing(node, name) and isinstance(node[name], DictConfig):
            yield from _keys(node[name], f"{key}.")


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def suggestion(given: object, known: Iterable[str]) -> str:
    """The nearest valid word as the end of a sentence, or nothing.

    >>> suggestion("cleen", ["clean", "noise"])
    ', did you mean clean?'
    """
    near = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.5)
    return f", did you mean {near[0]}?" if near else ""
