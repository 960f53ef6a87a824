"""What may be thrown away: damaged entries, leftovers, and results of code that is no longer there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.store.atomic import PART
from experiments.store.key import code
from experiments.store.store import KINDS, Store


@dataclass(frozen=True)
class Removable:
    """Files that belong together, and why they may go."""

    paths: tuple[Path, ...]
    reason: str

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.paths if path.exists())


def removable(store: Store, everything: bool = False) -> Iterator[Removable]:
    """What may go.

    Args:
        store: to look into; no sweep should be running.
        everything: all entries, whatever they are.
    """
    for kind in KINDS:
        for key in store.keys(kind):
            reason = "everything was asked for" if everything else _reason(store, kind, key)
            if reason:
                path = store.path(kind, key)
                yield Removable((path, path.with_suffix(".safetensors")), f"{kind} {key[:12]}: {reason}")
        for path in sorted(store.folder.glob(f"{kind}/??/*.safetensors")):
            if not path.with_suffix(".json").exists():
                yield Removable((path,), f"{kind} {path.stem[:12]}: was never finished")
    for path in sorted(store.folder.rglob(f".*{PART}")):
        yield Removable((path,), "half a file")
    for path in sorted(store.folder.glob("checkpoint/*.safetensors")):
        if everything or store.has("training", path.stem):
            yield Removable((path,), f"checkpoint {path.stem[:12]}: no longer needed")


def _reason(store: Store, kind: str, key: str) -> str | None:
    description = store.description(kind, key)
    if description is None:
        return "damaged"
    recorded = description["code"]
    current = code(kind, {part: value for part, value in description.items() if part != "code"})
    changed = [module for module, hashed in recorded.items() if current.get(module) != hashed]
    return f"made by code that has changed since ({', '.join(changed[:3])})" if changed else None
