"""The page of claims, generated: what is claimed, where, the command, how long it takes, and the verdicts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from figures.claims.claim import Claim, Verdict
from figures.claims.tables import minutes, published
from figures.table import TableError, said

DATASETS = ("cifar10", "digits")

NONE_YET = "no table published yet"

INTRODUCTION = """\
# Claims

What papers claim, in our words, and whether it holds here. Each verdict is computed from a published table when this
page is built. `make reproduce CLAIM=NAME` makes the table anew on the digits, draws its figure and prints the verdict;
`python -m figures.claims NAME --dataset cifar10 --set dataset.path=FOLDER` does it on CIFAR-10 (hours on two cores). No
figure or number of a paper is claimed: bars are those that this project set itself, estimated for CIFAR-10, and are the
same numbers on other data.

In brackets: 95 % intervals, the test images as given. With several trainings they are paired over these (Student's t);
with one they are over channels alone, and say nothing of how trainings differ. A bar is met or missed where the whole
interval is on one side of it, and open where it is not; a claim holds in part where some of its bars are met.
"""


def page(groups: dict[str, tuple[Claim, ...]], picture: Callable[[str], str | None]) -> str:
    """The page.

    Args:
        groups: claims by the heading that they stand under.
        picture: where the figure of a published table is, by the table's name; None if it has none.
    """
    found = {
        claim.name: [_judged(claim, dataset) for dataset in DATASETS] for claims in groups.values() for claim in claims
    }
    sections = [INTRODUCTION, *_summary(groups, found)]
    for heading, claims in groups.items():
        sections += [f"## {heading}", ""]
        for claim in claims:
            sections += [*_section(claim, found[claim.name], picture), ""]
    return "\n".join(sections)


class _Judged(NamedTuple):
    """What a published table says of a claim, and the minutes that it took to make."""

    verdict: Verdict
    minutes: float


def _judged(claim: Claim, dataset: str) -> _Judged | None:
    """None if no table that tells is published."""
    try:
        table = published(claim, dataset)
        return _Judged(claim.judgement.verdict(table), minutes(claim, table))
    except TableError:
        return None


def _summary(groups: dict[str, tuple[Claim, ...]], found: dict[str, list[_Judged | None]]) -> list[str]:
    heads = [said("dataset", name) for name in DATASETS]
    rows = []
    for claim in (claim for claims in groups.values() for claim in claims):
        answers = [NONE_YET if judged is None else judged.verdict.answer for judged in found[claim.name]]
        rows.append(f"| [{claim.name}](#{claim.name}) | {' | '.join(answers)} | {claim.says} |")
    # Verdicts beside the names, where a phone shows them.
    return [f"| claim | {' | '.join(heads)} | in our words |", "| --- | --- | --- | --- |", *rows, ""]


def _section(claim: Claim, found: list[_Judged | None], picture: Callable[[str], str | None]) -> list[str]:
    lines = [f"### {claim.name}", "", f"*{claim.says}* ({claim.source})", ""]
    shown: list[str] = []
    for dataset, judged in zip(DATASETS, found):
        named = said("dataset", claim.data.get(dataset, dataset))
        if judged is None:
            lines += [f"- **{named}**: {NONE_YET}."]
            continue
        told = f"{judged.verdict.answer}.** {judged.verdict.evidence}"
        lines += [f"- **{named}: {told}. From {_tables(claim, dataset)}; {_duration(judged.minutes)} on two cores."]
        shown = shown or [path for path in map(picture, claim.published(dataset)) if path]
    command = " ".join(f"'{part}'" if set(part) & set("[]{} ") else part for part in claim.command("digits"))
    lines += ["", f"Command: `make reproduce CLAIM={claim.name}`, or", "", "```console"]
    lines += [f"python -m experiments.sweep {command}", "```"]
    return [*lines, *(part for path in shown[:1] for part in ("", f"![{claim.name}]({path})"))]


def _tables(claim: Claim, dataset: str) -> str:
    names: Sequence[str] = claim.published(dataset)
    return " and ".join(f"`{name}.csv`" for name in names)


def _duration(amount: float) -> str:
    """Minutes, for people.

    >>> _duration(0.4), _duration(12.3), _duration(300.0)
    ('less than a minute', 'about 12 minutes', 'about 5 hours')
    """
    if amount < 1:
        return "less than a minute"
    return f"about {amount:.0f} minutes" if amount < 90 else f"about {amount / 60:.0f} hours"
