"""The published tables that tell of a claim, and how long it took to make what it rests on."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from figures.claims.claim import Claim
from figures.table import TableError, read

PUBLISHED = Path(__file__).parents[1] / "published"

THREADS = re.compile(r"^# machine: .*?(\d+) threads", re.MULTILINE)


def published(claim: Claim, dataset: str) -> pd.DataFrame:
    """The published tables that tell of a claim, in one; `attrs["threads"]` says how many each cell was made with.

    Raises:
        TableError: one of them is not published.
    """
    paths = [PUBLISHED / f"{name}.csv" for name in claim.published(dataset)]
    missing = [path.stem for path in paths if not path.is_file()]
    if missing:
        raise TableError(f"no table {missing[0]} is published yet: leave out --published to make one")
    table = pd.concat([read(path) for path in paths], ignore_index=True)
    threads = THREADS.search(paths[0].read_text(encoding="utf-8"))
    table.attrs["threads"] = int(threads[1]) if threads else 1
    return table


def minutes(claim: Claim, table: pd.DataFrame, cores: int = 2) -> float:
    """How long what the claim looks at took to train and to deliver, on so many cores, if they share the work evenly.

    Networks that several rows share are trained once: rows of one seed with the very same seconds of training are taken
    for rows of one training.

    Args:
        claim: whose schemes count.
        table: from `published`.
        cores: of the machine.
    """
    rows: Any = table[
        table["scheme"].str.removesuffix("*").isin([name.removesuffix("*") for name in claim.judgement.schemes])
    ]
    trained = rows.drop_duplicates(["seed", "train_seconds"])["train_seconds"].sum()
    return float(trained + rows["evaluate_seconds"].sum()) * table.attrs.get("threads", 1) / cores / 60
