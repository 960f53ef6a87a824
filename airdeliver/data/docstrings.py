"""Sentences of four libraries' documentation: real English texts that are installed with this library."""

import ast
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from torch import Generator

from airdeliver.data.dataset import DataError, Dataset, Split
from airdeliver.data.inputs import Texts
from airdeliver.data.targets import Classes

LENGTH = 128
PACKAGES = {
    "numpy": ("_core", "lib", "linalg", "ma", "polynomial"),
    "scipy": ("integrate", "interpolate", "optimize", "signal"),
    "sklearn": (
        "cluster",
        "decomposition",
        "ensemble",
        "linear_model",
        "metrics",
        "model_selection",
        "neighbors",
        "preprocessing",
    ),
    "torch": ("distributions", "nn", "optim"),
}
COUNTS = (1200, 200, 200)
"""Sentences of each library for training, validation and test."""
EXAMPLE = re.compile(r"^\s*(>>>|\.\.\.|\.\. |[-=~^]{3,})|::\s*$")
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
"""Where statements hold others."""

SENTENCE = re.compile(r"(?<=[.])\s+(?=[A-Z])")


@cache
def docstrings() -> Dataset:
    """Sentences from the docstrings of NumPy, SciPy, scikit-learn and PyTorch: which library is each from?

    4,800 sentences to train on, 800 to validate, 800 to test, as many of each library; 128 bytes of each. A sentence
    that two libraries share is left out, and the sentences of one source file are all in one split. Code, examples and
    headings are left out, words that tell the library are not. With so few sentences it is hard: counts of words and a
    linear model reach 72 % on the test split, where chance is 25 %. The texts are of the installed versions: others
    give another fingerprint.

    Raises:
        DataError: a library without its sources, or with too few docstrings in them.
    """
    texts: list[list[str]] = [[] for _ in COUNTS]
    labels: list[list[int]] = [[] for _ in COUNTS]
    found = {package: _sentences(package) for package in PACKAGES}
    counts: dict[str, int] = {}
    for sentences in found.values():
        for sentence in sentences:
            counts[sentence] = counts.get(sentence, 0) + 1
    for label, (package, sentences) in enumerate(found.items()):
        own = [(text, number) for text, number in sentences.items() if counts[text] == 1]
        order = torch.randperm(len(own), generator=Generator().manual_seed(label)).tolist()
        for split, count in enumerate(COUNTS):
            chosen = [own[i][0] for i in order if own[i][1] == split][:count]
            if len(chosen) < count:
                raise DataError(
                    f"the installed {package} has too few docstrings for data set docstrings: install it whole"
                )
            texts[split] += chosen
            labels[split] += [label] * count
    kind = Texts(LENGTH)
    splits = [Split(kind.encode(some), torch.tensor(of)) for some, of in zip(texts, labels)]
    return Dataset.of("docstrings", splits, kind, Classes(tuple(PACKAGES)))


def _sentences(package: str) -> dict[str, int]:
    """The sentences of a library, each with the number of the split that the first file with it belongs to."""
    found: dict[str, int] = {}
    for file in _sources(package):
        share = hashlib.sha256("/".join(file.parts[-3:]).encode()).digest()[0] / 256
        split = 0 if share < 0.6 else 1 if share < 0.8 else 2
        for text in _docstrings(file):
            for sentence in _prose(text):
                found.setdefault(sentence, split)
    return found


def _sources(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise DataError(f"data set docstrings needs the sources of {package}: install it")
    folder = Path(spec.origin).parent
    files = (file for part in PACKAGES[package] for file in sorted((folder / part).rglob("*.py")))
    return [file for file in files if "tests" not in file.parts and "_testing" not in file.parts]


def _docstrings(file: Path) -> Iterator[str]:
    level: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8", errors="ignore"))]
    while level:
        for node in level:
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""
        # As `ast.walk`, level by level, but not into expressions, where nothing is defined.
        level = [inner for node in level for block in BLOCKS for inner in getattr(node, block, ())]


def _prose(text: str) -> Iterator[str]:
    """Whole sentences of 40 to 300 characters, most of them letters, cut to the length of the set."""
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        if any(EXAMPLE.search(line) for line in lines):
            continue
        for sentence in SENTENCE.split(" ".join(" ".join(lines).split())):
            if (
                40 <= len(sentence) <= 300
                and sentence[0].isupper()
                and sentence.endswith(".")
                and sum(map(str.isalpha, sentence)) + sentence.count(" ") > 0.85 * len(sentence)
            ):
                yield sentence.encode()[:LENGTH].decode(errors="ignore")
