"""The page of claims, generated: what is claimed, where, the command, how long it takes, and the verdicts."""

from collections.abc import Callable, Sequence

from figures.claims.claim import Claim
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
    sections = [INTRODUCTION, *_summary(groups)]
    for heading, claims in groups.items():
        sections += [f"## {heading}", ""]
        for claim in claims:
            sections += [*_section(claim, picture), ""]
    return "\n".join(sections)


def answer(claim: Claim, dataset: str) -> str:
    """The verdict in two or three words, on a data set."""
    try:
        return claim.judgement.verdict(published(claim, dataset)).answer
    except TableError:
        return NONE_YET


def _summary(groups: dict[str, tuple[Claim, ...]]) -> list[str]:
    heads = [said("dataset", name) for name in DATASETS]
    rows = [
        f"| [{claim.name}](#{claim.name}) | {' | '.join(answer(claim, name) for name in DATASETS)} | {claim.says} |"
        for claims in groups.values()
        for claim in claims
    ]
    # Verdicts beside the names, where a phone shows them.
    return [f"| claim | {' | '.join(heads)} | in our words |", "| --- | --- | --- | --- |", *rows, ""]


def _section(claim: Claim, picture: Callable[[str], str | None]) -> list[str]:
    lines = [f"### {claim.name}", "", f"*{claim.says}* ({claim.source})", ""]
    shown: list[str] = []
    for dataset in DATASETS:
        named = said("dataset", claim.data.get(dataset, dataset))
        try:
            table = published(claim, dataset)
            verdict = claim.judgement.verdict(table)
        except TableError:
            lines += [f"- **{named}**: {NONE_YET}."]
            continue
        took = f"{_duration(minutes(claim, table))} on two cores"
        lines += [f"- **{named}: {verdict.answer}.** {verdict.evidence}. From {_tables(claim, dataset)}; {took}."]
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
