"""Variants and classes of one's own, named where they are asked for: `scheme=[mine: clean + link.receiver=mmse]`."""

import re
from collections.abc import Iterator

from experiments.override import Override, OverrideError, split

NAMED = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)\s*:)?\s*(?P<base>[A-Za-z_][\w.]*)\s*(?P<changes>(?:\+.*)?)", re.DOTALL
)
"""An item of a list: maybe a name, a choice or a class, maybe changes."""

FORM = "NAME: BASE + KEY=VALUE + ..., where BASE is a choice or module.Class"


def unfolded(override: Override) -> list[Override]:
    """A list of schemes or channels without inline variants, and the overrides that stand for these.

    A variant is a choice with some values changed, under a name of its own; a class takes the place of a choice, and
    goes by its own name if it is given none.

    Raises:
        OverrideError: an item that cannot be read.

    >>> given = Override.of("scheme=[clean, mine: clean + link.receiver=mmse, my.Scheme + depth=3]")
    >>> for text in map(str, unfolded(given)):
    ...     print(text)
    scheme=[clean,mine,Scheme]
    +scheme@scheme.mine=clean
    scheme.mine.link.receiver=mmse
    scheme.mine.title=Mine
    +scheme@scheme.Scheme=own
    scheme.Scheme._target_=my.Scheme
    scheme.Scheme.depth=3
    """
    text = (override.value or "").strip()
    if override.sign or text[:1] != "[" or text[-1:] != "]" or not any(mark in text for mark in (":", ".", " +")):
        return [override]
    items = [_item(override, item) for item in split(text[1:-1])]
    names = [name for name, _ in items]
    if len(set(names)) < len(names):
        raise OverrideError(f"{override} has a name twice: give each variant its own, {FORM}")
    # Schemes are picked by name from all that there are; of the other groups the choices alone are named.
    named = names if override.key == "scheme" else [name for name, made in items if not made]
    return [Override("", override.key, f"[{','.join(named)}]"), *(one for _, made in items for one in made)]


def _item(override: Override, item: str) -> tuple[str, list[Override]]:
    """The name of one item, and what stands for it."""
    plain = item.strip(" '\"")
    match = NAMED.fullmatch(plain)
    if match is None:
        raise OverrideError(f"cannot read {item!r} in {override.key}: expected {FORM}")
    name, base, changes = match["name"], match["base"], list(_changes(override, match["changes"]))
    if name is None and "." not in base:
        if changes:
            raise OverrideError(f"{item!r} in {override.key} needs a name of its own: {FORM}")
        return base, []
    group, name = override.key, name or base.rpartition(".")[2]
    node = f"{group}.{name}"
    if "." in base:
        made = [Override("+", f"{group}@{node}", "own"), Override("", f"{node}._target_", base)]
    else:
        made = [Override("+", f"{group}@{node}", base)]
    made += [Override("", f"{node}.{key}", value) for key, value in changes]
    if group == "scheme" and "." not in base and "title" not in dict(changes):
        # The base's own title would stand for both.
        words = name.replace("_", " ")
        made.append(Override("", f"{node}.title", words[0].upper() + words[1:]))
    return name, made


def _changes(override: Override, text: str) -> Iterator[tuple[str, str]]:
    """Keys and values between plus signs; a plus sign within a value has no blank before it."""
    for change in re.split(r"(?:^|\s)\+\s*", text):
        if not change.strip():
            continue
        key, equals, value = change.strip().partition("=")
        if not equals or not value.strip() or not re.fullmatch(r"[\w.]+", key.strip()):
            raise OverrideError(f"cannot read {change.strip()!r} in {override.key}: expected {FORM}")
        yield key.strip(), value.strip()
