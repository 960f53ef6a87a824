"""Finished work, found again by what it was made from."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock
from torch import Tensor

from experiments.store import tensors as tensor_files
from experiments.store.atomic import WriteError, write_bytes
from experiments.store.journal import Journal
from experiments.store.key import canonical, digest

KINDS = ("training", "cell", "conformance")
"""What is kept."""


class StoreError(Exception):
    """The store cannot be used; one line says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """One finished piece of work.

    Args:
        kind: `training`, `cell` or `conformance`.
        key: 64 hexadecimal digits, the digest of the description.
        label: what it is, for people.
        description: what it was made from, JSON.
        record: what came out, JSON.
        tensors: what came out, named.
    """

    kind: str
    key: str
    label: str
    description: Mapping[str, Any]
    record: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


class Store:
    """A folder of entries, `KIND/KE/KEY.json` and `.safetensors`, checked when they are read.

    The JSON file is written last and holds the checksums of both, so an entry is there whole or not at all. Several
    processes may share a store: the work on one key is locked.

    Args:
        folder: made if it is missing.

    Raises:
        StoreError: the folder cannot be made or written to.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"store {self.folder} cannot be made ({error.strerror}): choose another with store=FOLDER"
            ) from error
        if not os.access(self.folder, os.W_OK) or not os.access(self.folder / "locks", os.W_OK):
            raise StoreError(f"store {self.folder} is not writable: choose another with store=FOLDER")
        self.journal = Journal(self.folder / "journal.jsonl")

    def path(self, kind: str, key: str) -> Path:
        """The JSON file of an entry."""
        return self.folder / kind / key[:2] / f"{key}.json"

    def has(self, kind: str, key: str) -> bool:
        """Whether there is an entry, unchecked."""
        return self.path(kind, key).is_file()

    def read(self, kind: str, key: str) -> Entry | None:
        """An entry, checked; None if there is none.

        A damaged one is reported in a line, removed, and None.
        """
        path = self.path(kind, key)
        try:
            return self._checked(kind, key, path)
        except FileNotFoundError:
            if not path.exists():
                return None
            problem = "its tensors are missing"
        except (ValueError, KeyError, TypeError) as error:
            problem = str(error).splitlines()[0]
        except OSError as error:
            raise StoreError(f"cannot read {path} ({error.strerror})") from error
        self.journal.write("damaged", stage=kind, key=key)
        print(f"store: {kind} {key[:12]} is damaged ({problem}) and will be made again", flush=True)
        self.remove(kind, key)
        return None

    def _checked(self, kind: str, key: str, path: Path) -> Entry:
        content = json.loads(path.read_bytes())
        checksum = content.pop("checksum")
        if checksum != digest(content):
            raise ValueError("its checksum does not match")
        tensors = {}
        if content["tensors"] is not None:
            tensors, _, checksum = tensor_files.read(path.with_suffix(".safetensors"))
            if checksum != content["tensors"]:
                raise ValueError("the checksum of its tensors does not match")
        return Entry(kind, key, content["label"], content["description"], content["record"], tensors)

    def description(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """What an entry was made from, without reading its tensors; None if it is damaged."""
        try:
            return json.loads(self.path(kind, key).read_bytes())["description"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, entry: Entry) -> None:
        """Keep an entry, on disk when this returns.

        Raises:
            StoreError: the disk is full, or the store not writable.
        """
        path = self.path(entry.kind, entry.key)
        self.journal.write("writing", stage=entry.kind, key=entry.key)
        content: dict[str, Any] = {
            "label": entry.label,
            "description": entry.description,
            "record": entry.record,
            "tensors": None,
        }
        try:
            if entry.tensors:
                content["tensors"] = tensor_files.write(path.with_suffix(".safetensors"), entry.tensors, entry.record)
            text = canonical({**content, "checksum": digest(content)})
            write_bytes(path, text.encode())
        except WriteError as error:
            raise StoreError(str(error)) from error
        self.journal.write("written", stage=entry.kind, key=entry.key)

    def parameters(self, kind: str, key: str) -> float:
        """Real numbers that an entry holds, counted without reading them; not a number if there is none."""
        try:
            return float(tensor_files.count(self.path(kind, key).with_suffix(".safetensors")))
        except (FileNotFoundError, ValueError):
            return float("nan")

    def remove(self, kind: str, key: str) -> None:
        """Forget an entry; the JSON file goes first."""
        path = self.path(kind, key)
        path.unlink(missing_ok=True)
        path.with_suffix(".safetensors").unlink(missing_ok=True)

    def keys(self, kind: str) -> Iterator[str]:
        """The keys of all entries of a kind, sorted."""
        yield from sorted(path.stem for path in self.folder.glob(f"{kind}/??/*.json"))

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Keep other processes from working on a key; waits while one does. A killed process holds no lock."""
        path = self.folder / "locks" / key
        lock = FileLock(path)
        try:
            lock.acquire()
        except OSError as error:
            raise StoreError(
                f"cannot lock {path} ({error.strerror}): free some space or choose another store with store=FOLDER"
            ) from error
        try:
            yield
        finally:
            path.unlink(
                missing_ok=True
            )  # while it is held: whoever waits for it sees that it has gone, and makes another
            lock.release()
