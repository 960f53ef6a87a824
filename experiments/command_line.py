"""The command line: read before Hydra, so that it says what a person would say."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.choices import CONF, check_choice, choices_of, groups_of, rewrite
from experiments.override import AXES, Override, OverrideError
from experiments.refusal import ConfigurationError, suggestion
from experiments.variants import asked_for, experiments_with, keep, with_bases, without_scheme

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["Command", "ConfigurationError", "choices_of", "groups_of", "read", "rewrite", "suggestion"]

OPTIONS = ("--help", "--dry-run", "--show", "--config-dir")

KEYS = (*AXES, "experiment", "dataset", "model", "preset", "engine", "store", "realizations", "test_images", "device")
"""What is often given with dashes before it."""


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
        overrides: as they were given, choices of groups among them.
    """

    config: "DictConfig"
    choices: dict[str, Any]
    experiment: str
    folder: Path
    dry_run: bool
    show: bool
    overrides: tuple[Override, ...] = ()


def read(arguments: list[str]) -> Command:
    """Compose the configuration that the arguments ask for.

    Raises:
        ConfigurationError: an unknown key, choice or option, with the nearest valid one; a malformed value.
    """
    texts, dry_run, show, own = _options(arguments)
    folders = [CONF, *([own] if own else [])]
    try:
        overrides = [Override.of(text) for text in rewrite(texts, folders)]
        for override in overrides:
            override.spelled()
    except OverrideError as error:
        raise ConfigurationError(str(error)) from error
    from omegaconf import open_dict

    from experiments.composition import composed, missing, unknown

    asked = asked_for(str(override) for override in overrides)
    for override in overrides:
        if asked is None or str(override).partition("=")[0] != "scheme":
            check_choice(override, folders)
    if asked is not None:
        overrides = _with_variants(asked, overrides, folders, own)
    # A scheme's class knows its arguments, whether the configuration lists them or not.
    named = [replace(o, sign="++") if not o.sign and o.key.startswith("scheme.") else o for o in overrides]
    config = composed(named, own)
    if asked is not None:
        keep(config, asked)
    unread = without_scheme((str(override) for override in overrides), config)
    if unread is not None:
        raise unknown(unread, config)
    choices = dict(config.hydra.runtime.choices)
    folder = Path(config.hydra.run.dir)
    with open_dict(config):
        config.pop("hydra")
    for key in () if show else missing(config):
        raise ConfigurationError(f"{key} needs a value: give {key}=VALUE")
    return Command(config, choices, str(choices["experiment"]), folder, dry_run, show, tuple(overrides))


def _with_variants(
    asked: list[str], overrides: list[Override], folders: list[Path], own: Path | None
) -> list[Override]:
    """The overrides with those of the schemes asked for that the experiment does not derive itself."""
    from experiments.composition import derived

    there = derived(overrides, own)
    bases = [name for name in asked if name not in there]
    for name in bases:
        found = experiments_with(name, folders) if name not in choices_of("scheme", folders) else []
        if found:
            raise ConfigurationError(
                f"scheme {name!r} is a variant of experiment={found[0]}: give that experiment, or change a base as "
                f"you like, scheme.airnet.KEY=VALUE; bases are {', '.join(choices_of('scheme', folders))}"
            )
        check_choice(Override("", "scheme", f"[{name}]"), folders)
    return [Override.of(text) for text in with_bases((str(override) for override in overrides), bases)]


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
        elif argument.startswith("-"):
            raise _unknown_option(name, value, rest)
        else:
            overrides.append(argument)
    return overrides, dry_run, show, own


def _unknown_option(name: str, value: str, rest: Iterator[str]) -> ConfigurationError:
    """What an option is answered that there is not: most are keys with dashes before them."""
    if name in ("-m", "--multirun"):
        return ConfigurationError(f"{name} is not needed: a sweep takes lists, for example snr_db=[0,5]")
    key = name.lstrip("-").replace("-", "_")
    if name.startswith("--") and key in KEYS:
        return ConfigurationError(f"{name} is no option: give {key}={value or next(rest, 'VALUE')}")
    return ConfigurationError(f"unknown option {name}{suggestion(name, OPTIONS)}; --help lists them")
