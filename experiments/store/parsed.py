"""Source files parsed to what identifies results; kept in the store between two sweeps."""

import hashlib
import json
import platform
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from experiments.file_state import SETTLED, state_of
from experiments.store import syntax
from experiments.store.atomic import WriteError, write_bytes
from experiments.store.syntax import Parsed, parse, restored

RULES = f"{platform.python_version()} {hashlib.sha256(Path(syntax.__file__).read_bytes()).hexdigest()[:16]}"
"""What else decides on what a file is parsed to."""


class ParsedFiles:
    """Files parsed once; `remember` and `keep` carry what was found over to the next process.

    A file is known again by its path, inode, size and both of its times: the time of change cannot be set back. One
    that changed in the last two seconds is not kept, since it could change again within a tick of the clock.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[list[int], Parsed]] = {}
        self.file: Path | None = None
        self.is_new = False

    def read(self, path: Path) -> Parsed:
        """What a file holds now."""
        state = state_of(path)
        found = self.known.get(str(path))
        if found is not None and found[0] == state:
            return found[1]
        parsed = parse(path.read_bytes())
        if time.time_ns() - max(state[2:]) > SETTLED:
            self.known[str(path)] = state, parsed
            self.is_new = True
        return parsed

    def remember(self, folder: Path) -> None:
        """Take over what an earlier process has left in a store; what is damaged counts as nothing."""
        self.file = folder / "source.json"
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            content = json.loads(self.file.read_bytes())
            if content["rules"] == RULES:
                self.known = {path: (state, restored(plain)) for path, (state, plain) in content["files"].items()}

    def keep(self) -> None:
        """Leave what is known for the next process; a store that cannot be written to is no reason to stop."""
        if self.file is None or not self.is_new:
            return
        files = {path: (state, asdict(parsed)) for path, (state, parsed) in self.known.items()}
        with suppress(WriteError):
            write_bytes(self.file, json.dumps({"rules": RULES, "files": files}).encode())
        self.is_new = False


parsed_files = ParsedFiles()
"""Those of this process."""
