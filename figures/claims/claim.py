"""A claim of a paper, how it is judged from a table, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pandas as pd

Answer = Literal["holds", "holds in part", "does not hold here", "undecided here"]


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds in a table.

    Args:
        answer: in two or three words.
        evidence: the numbers that it rests on, with their 95 % intervals, in a sentence.
    """

    answer: Answer
    evidence: str

    def __str__(self) -> str:
        return f"{self.answer}: {self.evidence}"


class Judgement(Protocol):
    """How a table is judged."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """The names of those that it looks at."""
        ...

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge.

        Raises:
            TableError: the table lacks a scheme or a column.
        """
        ...


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, in our words.

    Args:
        name: of it on the command line.
        says: what is claimed.
        source: where.
        experiment: whose table tells.
        judgement: how.
        arguments: of the sweep beyond the experiment.
        tables: endings of the published tables that tell, together; none for that of the experiment.
        data: where its data set is called otherwise than the one that is asked for, that name: a claim on segmentation
            is judged on `digit_scenes` where others are on `digits`.
        elsewhere: for a data set that has an experiment of its own for this claim, that experiment: images of CIFAR-10
            have other resolutions than those of the digits.
    """

    name: str
    says: str
    source: str
    experiment: str
    judgement: Judgement
    arguments: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def experiment_on(self, dataset: str) -> str:
        """The experiment whose table tells, on a data set."""
        return self.elsewhere.get(dataset, self.experiment)

    def command(self, dataset: str) -> list[str]:
        """The arguments of the sweep whose table tells, on a data set."""
        preset = "preset=cpu" if dataset == "cifar10" else "preset=demo"
        named = self.data.get(dataset, dataset)
        return [f"experiment={self.experiment_on(dataset)}", f"dataset={named}", preset, *self.arguments]

    def published(self, dataset: str) -> list[str]:
        """The names of the published tables that tell, on a data set."""
        endings = self.tables or (self.experiment_on(dataset),)
        return [f"{self.data.get(dataset, dataset)}_{ending}" for ending in endings]
