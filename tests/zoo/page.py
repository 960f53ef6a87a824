"""The published page: one row a network, as the examination found it."""

from collections.abc import Sequence
from pathlib import Path

from tests.zoo.examination import Row

PAGE = Path(__file__).parents[2] / "docs" / "strangers.md"

HEAD = """# Networks that are not ours

`python -m tests.zoo` writes this page, and `make test-slow` checks every row. Each network is a small version, built
from code (`tests/zoo/`), of an architecture that others have published, with values of no particular training. It is
put through all of this; a network that failed would not be in the table:

- **payload**: what the receiver's network computes after a lossless transport is equal bit for bit; every parameter
  and every learned buffer travels, and nothing else does: in the receiver's copy they are NaN before, constants as they
  were;
- **analog**: at 100 dB outputs agree to 0.2 %; at 10 dB with a zero-forcing receiver the squared error of values,
  relative to their segment's scale, is 0.1 within five standard deviations of the mean;
- **digital**: what arrives at 10 dB is what was quantised, within the budget and below the capacity of the channel;
- **pruning** (`airdeliver.prune`, batch-norm statistics sent) to 50 and 20 % of what the whole network costs, side
  information included: what is used then, or the least that pruning can leave; a refusal names layers and reasons.

Side information is sent at 3 bits a channel use here, as 10 dB carries; of networks this small it is a large part,
which no pruning takes away. `values` are those of the payload, `groups` channel groups that can lose channels.

No row needs `transformers`, which was not installed when this page was written: networks that bear the names of its
models are written in `tests/zoo/` after their publications and are not its classes. Twelve of its own families, built
from configurations, are put through the same where it is installed (`tests/zoo/test_transformers.py`).

| network | values | groups | at 50 % | at 20 % | stays whole, and why |
| --- | ---: | ---: | --- | --- | --- |
"""


def line(row: Row) -> str:
    """A row of the table."""
    why = row.whole.replace("|", "/")
    return f"| {row.name} | {row.values:,} | {row.groups} | {row.half} | {row.fifth} | {why} |"


def published() -> dict[str, str]:
    """The rows of the page as they stand, by name."""
    if not PAGE.exists():
        return {}
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][2:]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def publish(lines: Sequence[str]) -> None:
    """Write the page."""
    PAGE.write_text(HEAD + "".join(f"{line}\n" for line in lines))
