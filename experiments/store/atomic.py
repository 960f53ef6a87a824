"""Files that are written whole or not at all."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

PART = ".part"
"""Ends the name of a file that is not whole yet."""


class WriteError(OSError):
    """A file could not be written; the one that was there before is untouched."""


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write to a temporary file in the same folder, then move it into place.

    Args:
        path: of the finished file; its folder is made if it is missing.
        write: writes to the path that it is given.

    Raises:
        WriteError: the disk is full or the folder cannot be written to; `path` is as it was.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{PART}")
        write(temporary)
        _to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        raise WriteError(
            f"cannot write {path} ({error.strerror or error}): what was there is untouched; free some space or choose "
            "another folder"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes whole or not at all.

    Raises:
        WriteError: see `write_whole`.
    """

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_whole(path, write)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
