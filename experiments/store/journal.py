"""What happened, one JSON line an event: which stage was started, finished, reused, by whom and how long it took."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file that several processes may write to at once.

    Clock times in it are for people; nothing depends on them.

    Args:
        path: made with the first event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: str, **details: Any) -> None:
        """Append one event; a journal that cannot be written to is no reason to stop working."""
        line = json.dumps({"event": event, **details, "process": os.getpid(), "at": time.time()}) + "\n"
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError:
            return
        try:
            os.write(handle, line.encode())
        except OSError:
            return
        finally:
            os.close(handle)

    def read(self) -> Iterator[dict[str, Any]]:
        """All events in order; a line cut short by a kill is left out."""
        return self.follow(0)[0]

    def follow(self, position: int) -> tuple[Iterator[dict[str, Any]], int]:
        """The events after a byte position, and the position to go on from."""
        try:
            with self.path.open("rb") as file:
                file.seek(position)
                content = file.read()
        except OSError:
            return iter(()), position
        whole = content[: content.rfind(b"\n") + 1]
        return _events(whole), position + len(whole)


def _events(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
