"""One `key=value` of the command line: what a person types, in the spelling that Hydra reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

FORM = re.compile(r"(?P<sign>\+\+|\+|~)?(?P<key>[^=\s]+)(?:=(?P<value>.*))?", re.DOTALL)

AXES = ("snr_db", "channel_uses", "knowledge", "seeds", "train_snr_db", "scheme", "channel")
"""Keys that take a list."""

FOLDERS = ("store", "hydra.run.dir")
"""Keys whose value is a folder, whatever stands in it."""

PATHS = ("path", "dir", "folder", "file")
"""Last parts of other keys whose value is a path, or null."""

PLAIN = re.compile(r"[A-Za-z0-9_./+\-]+")
"""What Hydra reads as it stands."""

FUNCTION = re.compile(r"(?:range|choice|interval|glob|shuffle|sort|tag)\s*\(.*\)", re.DOTALL)
"""Hydra's own sweeps."""

CLOSING = {"[": "]", "{": "}", "(": ")"}

MOST_SPELLED = 20
"""Values of a range that a message spells out."""


class OverrideError(ValueError):
    """An argument that cannot be meant; one line."""


@dataclass(frozen=True)
class Override:
    """An argument taken apart.

    Args:
        sign: `+` and `++` add, `~` takes out, empty changes.
        key: dotted.
        value: as it was typed; None if there is no `=`.
    """

    sign: str
    key: str
    value: str | None

    @classmethod
    def of(cls, argument: str) -> "Override":
        """Take an argument apart; quotes that a shell left around all of it, and blanks, fall off.

        Raises:
            OverrideError: it is no `key=value`, its value is empty, or it is no text.

        >>> Override.of("'snr_db=[0,5]' ")
        Override(sign='', key='snr_db', value='[0,5]')
        """
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise OverrideError(f"{argument!r} is not UTF-8: type it anew") from error
        text = argument.strip()
        if len(text) > 1 and text[0] in "'\"" and text[0] == text[-1] and text[0] not in text[1:-1]:
            text = text[1:-1].strip()
        match = FORM.fullmatch(text)
        if match is None or (match["value"] is None and match["sign"] != "~"):
            raise OverrideError(f"expected key=value without blanks around =, got {argument!r}: --help shows examples")
        if match["value"] is not None and not match["value"].strip():
            raise OverrideError(f"{match['key']}= needs a value: --help shows examples")
        return cls(match["sign"] or "", match["key"], match["value"])

    @property
    def is_text(self) -> bool:
        """Whether its value is taken as it stands."""
        return self.key in (*FOLDERS, "dataset.name") or self.key.rpartition(".")[2] in PATHS

    def __str__(self) -> str:
        return f"{self.sign}{self.key}" + ("" if self.value is None else f"={self.value}")

    def spelled(self) -> str:
        """The same for Hydra: texts that it would stumble over are quoted.

        Raises:
            OverrideError: a list without brackets, a sweep of Hydra's, a bracket that is not closed.

        >>> Override.of("hydra.run.dir=runs/lr=0.1, #2").spelled()
        "hydra.run.dir='runs/lr=0.1, #2'"
        >>> Override.of("snr_db=[0, 5 ,10] ").spelled()
        'snr_db=[0,5,10]'
        """
        if self.value is None:
            return str(self)
        return str(Override(self.sign, self.key, _value(self, self.value.strip())))


def _value(override: Override, text: str) -> str:
    """The value of an override for Hydra."""
    if override.is_text:
        if text == "null" and override.key in FOLDERS:
            raise OverrideError(f"{override.key} needs a folder, got null: give {override.key}=FOLDER")
        return text if text == "null" or _is_quoted(text) else quoted(expanded(text))
    if text[0] in "[{":
        return _container(override, text)
    if FUNCTION.fullmatch(text):
        raise OverrideError(f"{override} is a sweep of Hydra's: {_listed(override, _enumerated(text))}")
    parts = split(text[1:-1] if text[0] == "(" and text[-1] == ")" else text)
    if len(parts) < 2 or _is_path(text):
        return _leaf(text)
    if "." not in override.key and override.key not in AXES:
        raise OverrideError(f"{override.key} takes one value, got {text}: start a sweep for each")
    raise OverrideError(f"{override} needs brackets: {_listed(override, ','.join(parts))}")


def _listed(override: Override, values: str) -> str:
    """What to give in place of an argument."""
    where = f"{override.sign}{override.key}"
    example = f"for example '{where}=[A,B]'" if not values else f"'{where}=[{values}]'"
    return f"give a list, {example}"


def _enumerated(function: str) -> str:
    """The values of a sweep of Hydra's; empty where they are too many, or it cannot be read."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ChoiceSweep, RangeSweep
    from hydra.errors import HydraException

    try:
        sweep = OverridesParser.create().parse_override(f"key={function}").value()
    except HydraException:
        return ""
    values: list[object] = []
    if isinstance(sweep, ChoiceSweep):
        values = list(sweep.list)
    elif isinstance(sweep, RangeSweep):
        values = list(_range(sweep.start, sweep.stop, sweep.step))
    if len(values) > MOST_SPELLED:
        return ""
    return ",".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _range(start: float | None, stop: float | None, step: float) -> Iterator[float]:
    """The first numbers of a range, one more than a message spells out."""
    if start is None or stop is None or not step:
        return
    for index in range(MOST_SPELLED + 1):
        value = start + index * step
        if (value >= stop) if step > 0 else (value <= stop):
            return
        yield value


def _container(override: Override, text: str) -> str:
    """A list or a mapping whose texts are quoted where they must be."""
    end = _end(text)
    if end is None:
        raise OverrideError(
            f"cannot read {str(override)!r}: {text[0]} is not closed; a list has no blanks, or stands in quotes"
        )
    if end < len(text) - 1:
        return _leaf(text)
    parts = split(text[1:-1])
    if text[0] == "[":
        return "[" + ",".join(_inner(override, part) for part in parts) + "]"
    items = []
    for part in parts:
        name, colon, value = part.partition(":")
        name = name.strip(" '\"")
        if not colon or not PLAIN.fullmatch(name):
            raise OverrideError(f"cannot read {str(override)!r}: expected NAME: VALUE in braces, got {part!r}")
        items.append(f"{name}:{_inner(Override('', f'{override.key}.{name}', value), value.strip())}")
    return "{" + ",".join(items) + "}"


def _inner(override: Override, text: str) -> str:
    """A value inside of a container."""
    if not text:
        raise OverrideError(f"cannot read {str(override)!r}: a value is missing")
    if override.is_text:
        return _value(override, text)
    return _container(override, text) if text[0] in "[{" else _leaf(text)


def _leaf(text: str) -> str:
    """A single value; quoted if Hydra would not read it as one."""
    if PLAIN.fullmatch(text) or _is_quoted(text):
        return text
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create().parse_override(f"key={text}")
    except HydraException:
        return quoted(text)
    # A colon is read as text where it stands alone, but not in a mapping.
    return quoted(text) if parsed.is_sweep_override() or ":" in text else text


def split(text: str) -> list[str]:
    """Parts between commas outside of brackets and quotes, without blanks around them; none of an empty text.

    >>> split("0, {a: [1,2]}, 'x,y'")
    ['0', '{a: [1,2]}', "'x,y'"]
    """
    cuts = [-1, *(place for place, depth in _depths(text) if depth == 0 and text[place] == ","), len(text)]
    parts = [text[one + 1 : other].strip() for one, other in pairwise(cuts)]
    return parts if text.strip() else []


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Places outside of quotes, with the number of brackets that are open after them."""
    depth, quote, fresh = 0, "", True
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[place - 1] != "\\" else quote
            continue
        if letter in "'\"" and fresh:
            quote = letter
            continue
        depth += (letter in CLOSING) - (letter in CLOSING.values())
        yield place, depth
        # A quote in the middle of a word is an apostrophe.
        fresh = letter in "[{(,:=" or (fresh and letter == " ")


def _end(text: str) -> int | None:
    """Where the bracket that a text begins with is closed; None if it is not."""
    return next((place for place, depth in _depths(text) if depth == 0), None)


def _is_quoted(text: str) -> bool:
    inner = text[1:-1].replace("\\\\", "").replace("\\'", "").replace('\\"', "")
    return len(text) > 1 and text[0] in "'\"" and text[0] == text[-1] and text[0] not in inner


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text


def quoted(text: str) -> str:
    r"""A text for Hydra as it stands, but for interpolations such as `${oc.env:HOME}`.

    >>> print(quoted("it's"), quoted("C:\\"))
    'it\'s' 'C:\\'
    """
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + r"\'", text)
    ending = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{ending * chr(92)}'"


def expanded(text: str) -> str:
    """A path that begins with `~` with the home that it stands for, where there is one."""
    try:
        return str(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:
        return text
