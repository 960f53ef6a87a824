"""Variants: schemes that an experiment derives in place, and that `scheme=[...]` chooses among like the bases."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

ENTRY = re.compile(r"^\s*-\s*/scheme@scheme\.(\w+)\s*:", re.MULTILINE)
"""How an experiment derives a variant: `- /scheme@scheme.airnet_no_kd: airnet` in its defaults."""


def asked_for(overrides: Iterable[str]) -> list[str] | None:
    """The schemes that a command line chooses; None if it leaves them to the experiment.

    >>> asked_for(["snr_db=[0]", "scheme=[clean, airnet_no_kd]"])
    ['clean', 'airnet_no_kd']
    """
    given = [value for key, _, value in (o.partition("=") for o in overrides) if key == "scheme"]
    return None if not given else [name for name in re.split(r"[\s\[\],'\"]+", given[-1]) if name]


def with_bases(overrides: Iterable[str], names: Iterable[str]) -> list[str]:
    """The overrides, choosing those schemes alone.

    >>> with_bases(["scheme=[clean,airnet_no_kd]", "snr_db=[0]"], ["clean"])
    ['snr_db=[0]', 'scheme=[clean]']
    """
    return [*(o for o in overrides if o.partition("=")[0] != "scheme"), f"scheme=[{','.join(names)}]"]


def keep(config: "DictConfig", names: Iterable[str]) -> None:
    """Leave those schemes alone in a configuration, in that order.

    Args:
        config: composed.
        names: bases and variants.
    """
    from omegaconf import open_dict

    with open_dict(config):
        nodes = config.pop("scheme", None) or {}
        config["scheme"] = {name: nodes[name] for name in names if name in nodes}


def without_scheme(overrides: Iterable[str], config: "DictConfig") -> str | None:
    """The key of the first override of a scheme that is not there, or of one that nobody has given a class."""
    nodes = config.get("scheme") or {}
    for override in overrides:
        key = override.partition("=")[0].lstrip("+~")
        group, _, rest = key.partition(".")
        name = rest.partition(".")[0]
        if group == "scheme" and rest and (name not in nodes or "_target_" not in list(nodes[name])):
            return key
    return None


def experiments_with(name: str, folders: Iterable[Path]) -> list[str]:
    """The experiments that derive a variant of that name.

    Args:
        name: of the variant.
        folders: of configuration groups.
    """
    files = sorted(file for folder in folders for file in (folder / "experiment").glob("*.yaml"))
    return [file.stem for file in files if name in ENTRY.findall(file.read_text(encoding="utf-8"))]
