"""A sweep that was finished before and of which nothing has changed since: told from files, without what would do it.

Importing torch alone takes most of a second. So this file imports nothing but the standard library.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.file_state import SETTLED, state_of

if TYPE_CHECKING:
    from experiments.command_line import Command

FILE = "finished.json"
"""Lies in the run folder beside the table."""


def said_before(command: "Command") -> str | None:
    """What the same sweep said at its end, if all that it read and wrote is what it was; None if anything may differ.

    A file is known again by its inode, size and both of its times: the time of change cannot be set back.

    Args:
        command: what is asked for.
    """
    try:
        content = json.loads((command.folder / FILE).read_bytes())
        if content["asked"] != _asked(command):
            return None
        unchanged = all(state_of(Path(path)) == state for path, state in content["files"].items())
        return content["text"] if unchanged else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def content_of(
    command: "Command", text: str, read: Iterable[Path], written: Iterable[Path], started: float
) -> bytes | None:
    """What `said_before` will read of a sweep that has just ended; None if a file changed while it ran.

    Args:
        command: what was asked for.
        text: what was said.
        read: files of code and data.
        written: files of results.
        started: seconds since the epoch, before any file was read.
    """
    try:
        sources = {str(path.resolve()): state_of(path) for path in read}
        results = {str(path.resolve()): state_of(path) for path in written}
    except OSError:
        return None
    if any(max(state[2:]) > started * 1e9 - SETTLED for state in sources.values()):
        return None
    return json.dumps({"asked": _asked(command), "text": text, "files": {**sources, **results}}).encode()


def _asked(command: "Command") -> str:
    """A hash of the command, and of where names in it lead."""
    from omegaconf import OmegaConf

    asked: dict[str, Any] = {
        "config": OmegaConf.to_container(command.config, resolve=True),
        "experiment": command.experiment,
        "choices": command.choices,
        "overrides": [str(override) for override in command.overrides],
        "python": [sys.version, sys.executable],
        "places": [os.getcwd(), *sys.path],
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
