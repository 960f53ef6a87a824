"""How a command ends that cannot be meant: one line, with the nearest word that could."""

import difflib
from collections.abc import Iterable


class ConfigurationError(SystemExit):
    """A command that cannot be meant: ends the program with its one line.

    Args:
        line: what is wrong, what was expected, what to do; what was typed in it may hold line breaks.
    """

    def __init__(self, line: str) -> None:
        super().__init__(" ".join(line.splitlines()))


def suggestion(given: object, known: Iterable[str]) -> str:
    """The nearest valid word as the end of a sentence, or nothing.

    >>> suggestion("cleen", ["clean", "noise"])
    ', did you mean clean?'
    """
    near = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.5)
    return f", did you mean {near[0]}?" if near else ""


def first_line(error: BaseException) -> str:
    """What an error says, in one line; its kind if it says nothing.

    >>> first_line(ValueError("no such key\\n  full_key: a")), first_line(KeyError())
    ('no such key', 'KeyError')
    """
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
