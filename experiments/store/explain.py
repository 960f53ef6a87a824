"""Why a result is computed again: how its description differs from the nearest one in the store."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.store.store import Store


def nearest(store: Store, kind: str, description: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """The entry whose description differs least, and the differences, one line each; None for an empty store."""
    best: tuple[str, list[str]] | None = None
    for key in store.keys(kind):
        found = store.description(kind, key)
        if found is None:
            continue
        lines = list(dict.fromkeys(differences(found, description)))
        if best is None or len(lines) < len(best[1]):
            best = key, lines
    return best


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """What differs between two descriptions.

    >>> list(differences({"epochs": 3, "code": {"a": "1"}}, {"epochs": 5, "code": {"a": "2"}}))
    ['code of a has changed', 'epochs: 3 -> 5']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from differences(old.get(name), new.get(name), f"{where}.{name}" if where else str(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new)):
            yield from differences(one, other, f"{where}[{index}]")
    elif old != new:
        yield _sentence(where, old, new)


def _sentence(where: str, old: Any, new: Any) -> str:
    if where.startswith("code."):
        module = where.removeprefix("code.")
        if old is None or new is None:
            return f"code of {module} is {'now' if old is None else 'no longer'} imported"
        return f"code of {module} has changed"
    if where.startswith(("trainings", "needs")):
        return "a training that it needs is another"
    return f"{where}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
