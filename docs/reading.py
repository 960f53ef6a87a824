"""Docstrings as the site shows them: examples in fences, formulas as MathML, which needs no script to be read."""

import re
from typing import Any

import griffe
from latex2mathml.converter import convert

EXAMPLE = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)
FORMULA = re.compile(r"(?<![\\$])\$(?P<latex>[^$]+)\$")


class Reading(griffe.Extension):
    """Rewrites each docstring before it becomes Markdown."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for each object once its members are known."""
        if obj.docstring is not None:
            obj.docstring.value = formulas(fenced(obj.docstring.value))


def fenced(text: str) -> str:
    """A docstring whose examples, up to the next empty line, are blocks: Markdown takes `>>>` for a quotation."""

    def fence(example: re.Match[str]) -> str:
        indent = example["indent"]
        return f"{indent}```pycon\n{example[0]}\n{indent}```"

    return EXAMPLE.sub(fence, text)


def formulas(text: str) -> str:
    """A docstring whose formulas, `$...$`, are MathML; examples stay as they are."""

    def formula(found: re.Match[str]) -> str:
        # The span keeps a formula at the beginning of a line within its paragraph.
        return f"<span>{convert(' '.join(found['latex'].split()))}</span>"

    parts = re.split(r"(^ *```.*?^ *```$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if i % 2 else FORMULA.sub(formula, part) for i, part in enumerate(parts))
