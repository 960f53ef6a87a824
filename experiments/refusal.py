"""How a command ends that cannot be meant: one line, with the nearest word that could."""

import difflib
import re
from collections.abc import Iterable

LONGEST_WORD = 200
LONGEST_LINE = 680
"""Letters that a person still reads."""


class ConfigurationError(SystemExit):
    """A command that cannot be meant: ends the program with its one line.

    Args:
        line: what is wrong, what was expected, what to do; what was typed in it may hold line breaks and be of any
            length: its middle is left out.

    >>> len(str(ConfigurationError(f"no such key {'x' * 5000}: --show prints all of them"))) < LONGEST_LINE
    True
    """

    def __init__(self, line: str) -> None:
        words = re.sub(rf"\S{{{LONGEST_WORD},}}", lambda word: _shortened(word[0], LONGEST_WORD), line)
        super().__init__(_shortened(" ".join(words.splitlines()), LONGEST_LINE))


def _shortened(text: str, most: int) -> str:
    """A text without its middle if it is longer than so many letters."""
    return text if len(text) <= most else f"{text[: most // 2 - 3]}...{text[-(most // 2) :]}"


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
