"""The groups of the configuration, their choices, and classes of one's own that stand in their place."""

from collections.abc import Iterable
from pathlib import Path

from experiments.inline import unfolded
from experiments.override import Override, split
from experiments.refusal import ConfigurationError, suggestion

CONF = Path(__file__).parent / "conf"

OWN = ("channel", "scheme", "model")
"""Groups into which a class of one's own can be put by `GROUP._target_=module.Class`."""

RENAMED = {("preset", "paper"): "large"}
"""Choices that have another name today."""

LISTS = ("channel", "scheme")
"""Groups of which a sweep takes several choices."""


def choices_of(group: str, folders: Iterable[Path] = (CONF,)) -> list[str]:
    """The choices of a group, sorted."""
    return sorted({file.stem for folder in folders for file in (folder / group).glob("*.yaml")})


def groups_of(folders: Iterable[Path] = (CONF,)) -> list[str]:
    """The groups, sorted."""
    return sorted({entry.name for folder in folders for entry in folder.iterdir() if entry.is_dir()})


def rewrite(overrides: list[str], folders: Iterable[Path] = (CONF,)) -> list[str]:
    """Turn what a person would type into what the configuration has.

    `scheme=[mine: clean + link.receiver=mmse]` derives a variant in place; `channel._target_=x.Y channel.k=v` puts a
    class of one's own into the group; `dataset=NAME` without such a choice asks the hub.

    Raises:
        OverrideError: an argument that is no `key=value`.
        ConfigurationError: several data sets.

    >>> rewrite(["channel._target_=my.Channel", "channel.depth=3"])
    ['channel=[own]', 'channel.own._target_=my.Channel', '+channel.own.depth=3']
    >>> rewrite(["dataset=mnist", "snr_db=[0,5]"])
    ['dataset=hub', 'dataset.name=mnist', 'snr_db=[0,5]']
    """
    given = [Override.of(text) for text in overrides]
    given = [made for override in given for made in (unfolded(override) if override.key in LISTS else [override])]
    for group in OWN:
        if any(override.key == f"{group}._target_" for override in given):
            given = _with_own(given, group)
    rewritten: list[str] = []
    for override in given:
        if override.key == "dataset" and not override.sign and override.value is not None:
            rewritten += _data_set(override.value.strip(" '\""), folders)
        else:
            rewritten.append(str(override))
    return rewritten


def _data_set(name: str, folders: Iterable[Path]) -> list[str]:
    """The overrides for a data set: a choice of the group, or a name of the hub."""
    if name[:1] in ("[", "{") or "," in name:
        raise ConfigurationError(f"dataset takes one name, got {name}: start a sweep for each")
    return [f"dataset={name}"] if name in choices_of("dataset", folders) else ["dataset=hub", f"dataset.name={name}"]


def _with_own(overrides: list[Override], group: str) -> list[Override]:
    """The arguments of a group's own class moved to where the group holds it."""
    is_list = group in LISTS
    node = f"{group}.own" if is_list else group
    # Of several lists the last counts, as everywhere.
    chosen = next((names(o) for o in reversed(overrides) if o.key == group), [])
    others = [name for name in chosen if name != "own"]
    rewritten = [Override("", group, f"[{','.join([*others, 'own'])}]" if is_list else "own")]
    for override in overrides:
        if override.key == group:
            continue
        named = any(override.key.startswith(f"{group}.{name}.") for name in chosen)
        if override.key.startswith(f"{group}.") and not named:
            argument = override.key.removeprefix(f"{group}.")
            sign = override.sign or ("" if argument == "_target_" else "+")
            override = Override(sign, f"{node}.{argument}", override.value)
        rewritten.append(override)
    return rewritten


def names(override: Override) -> list[str]:
    """The choices that an override of a group names.

    >>> names(Override.of("scheme=[clean, 'noise']"))
    ['clean', 'noise']
    """
    return [name.strip(" '\"") for name in split((override.value or "").strip().strip("[]"))]


def check_choice(override: Override, folders: list[Path]) -> None:
    """Refuse what a group does not have.

    Raises:
        ConfigurationError: an unknown choice, with the nearest; several of a group that takes one; a group that is
            added or taken out.
    """
    group, _, package = override.key.partition("@")
    if group not in groups_of(folders):
        return
    given, known = names(override), choices_of(group, folders)
    example = f"{group}=[NAME, ...]" if group in LISTS else f"{group}=NAME"
    if override.sign == "~" or (override.sign and not package):
        raise ConfigurationError(f"{override} does not name a choice: give {example}")
    if group not in LISTS and (len(given) != 1 or (override.value or "").strip()[:1] in ("[", "{")):
        raise ConfigurationError(f"{group} takes one choice, got {override.value}: give {example}")
    for name in given:
        if name not in known and (group, name) in RENAMED:
            raise ConfigurationError(f"{group}={name} is called {group}={RENAMED[group, name]} today: give that")
        if name not in known:
            raise ConfigurationError(f"unknown {group} {name!r}{suggestion(name, known)}; there are {', '.join(known)}")
