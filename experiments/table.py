"""The table of results: one row a cell."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table

from airdeliver.delivery_cost import COSTS
from airdeliver.session import TIMES
from channels.gain_knowledge import gain_knowledge
from experiments.planner import Cell
from experiments.store import write_whole

COLUMNS = (
    "experiment", "scheme", "dataset", "model", "channel", "knowledge", "normalisation", "calibration_inputs",
    "snr_db", "channel_uses", "channel_uses_spent", "train_snr_db", "train_channel", "seed", "realizations",
    "accuracy", "accuracy_low", "accuracy_high", "accuracy_channel_low", "accuracy_channel_high", "accuracy_std",
    "usable", "parameters_sent", "power", "train_seconds", "evaluate_seconds",
    "train_snr_db_low", "train_snr_db_high", "parameters_stored",
    "title", "side", "preparation", "limit", "member", "metric", "score_low", "score_high", "floor", "finite", "family",
    "conformance", "overrides", "estimation_error", "pilot_share", "delay_spread", *COSTS, "fades", "calibrated_share",
    "tasks", "uses_per_inference_served", *TIMES,
)  # fmt: skip
"""In this order. SNR is in dB; the SNR of a training without a link is no number, nor is `member` of a whole network.

Accuracy is the mean of the task's `metric`, whichever it is, between `score_low` and `score_high`; `floor` is what a
delivery counts as of which nothing usable arrived. Schemes of one `family` are members of an elastic network, which a
figure joins by a line; empty for others. `tasks` is how many tasks a receiver has afterwards. `estimation_error`,
`pilot_share` and `delay_spread` say how the receiver knows the gain of the channel:
`channels.gain_knowledge.GainKnowledge`. `realizations` are deliveries, which stand for `fades`, as many or more;
`calibrated_share` of the scored examples are among those that the network scored on them was calibrated on. Before
these is what a delivery costs: `airdeliver.delivery_cost.DeliveryCost` says what each is; behind them, when receivers
had what: means over deliveries of `airdeliver.session.Timeline`. Whatever else a task says of networks (`mean_iou`) has
a column of its own behind these, and so has the share of the examples that take each path of a dynamic network, as
`share_8px`. `uses_per_inference_served` is what `uses_per_inference` expects, as it was counted while the test inputs
were served.
"""


HOLE = "no fit"
"""In place of a number, where a budget is too small."""


def of(experiment: str, finished: Iterable[tuple[Cell, Mapping[str, Any]]], examined: bool = True) -> pd.DataFrame:
    """The rows of finished cells and their records, in the given order.

    Args:
        experiment: its name.
        finished: cells and their records.
        examined: whether pieces of one's own keep their contracts, or nobody looked.
    """
    rows = [_row(experiment, *pair) for pair in finished]
    further = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    rows = pd.DataFrame(rows, columns=[*COLUMNS, *further])
    rows["conformance"] = "checked" if examined else "off"
    return rows.astype({"member": float, **dict.fromkeys((*COSTS, *TIMES), float)})


def _row(experiment: str, cell: Cell, record: Mapping[str, Any]) -> dict[str, Any]:
    about = cell.about
    low, high = about.train_range_db
    return {
        "experiment": experiment,
        "scheme": cell.scheme,
        "dataset": cell.dataset,
        "model": cell.model,
        "channel": cell.channel,
        "knowledge": cell.knowledge,
        "snr_db": cell.snr_db,
        "channel_uses": cell.channel_uses,
        "train_snr_db": (low + high) / 2,
        "train_snr_db_low": low,
        "train_snr_db_high": high,
        "train_channel": cell.train_channel,
        "seed": cell.seed,
        **asdict(gain_knowledge(cell.stage.channel)),
        "title": about.title,
        "side": about.side,
        "preparation": about.preparation,
        "limit": about.limit,
        "member": about.member,
        "family": about.family,
        "tasks": about.tasks,
        "metric": cell.metric,
        "score_low": cell.bounds[0],
        "score_high": cell.bounds[1],
        "floor": cell.floor,
        "overrides": cell.overrides,
        **{name: value for name, value in record.items() if name in COLUMNS},
        **{name: value for name, value in record.get("extras", {}).items() if name not in COLUMNS},
    }


def write(results: pd.DataFrame, path: Path) -> Path:
    """Write a table as parquet, whole or not at all.

    Raises:
        WriteError: the disk is full or the folder cannot be written to.
    """
    write_whole(path, lambda temporary: results.to_parquet(temporary, index=False))
    return path


def heading(results: pd.DataFrame) -> str:
    """What the numbers of `summary` are, by the score of the task."""
    metrics = " or ".join(dict.fromkeys(results["metric"]))
    return f"delivered {metrics}{' in %' if _is_share(results) else ''}, ± half of its 95 % interval, or both ends"


def _is_share(results: pd.DataFrame) -> bool:
    return bool((results["score_low"] == 0).all() and (results["score_high"] == 1).all())


def summary(results: pd.DataFrame, holes: pd.DataFrame | None = None) -> Table:
    """The mean score, in % where it lies between 0 and 1, with the half-width of its 95 % interval.

    Schemes down, SNR across; `no fit` where a budget is too small, and a dash where nothing was asked for.

    Args:
        results: the table.
        holes: cells that cannot fit their budget.
    """
    shown_as = _percent if _is_share(results) else _plain
    rows = [(row, shown_as(row)) for row in results.to_dict("records")]
    rows += [] if holes is None else [(row, HOLE) for row in holes.to_dict("records")]
    varied = [c for c in ("channel", "knowledge", "channel_uses", "seed") if len({row[c] for row, _ in rows}) > 1]
    levels = sorted({row["snr_db"] for row, _ in rows})
    shown = Table()
    for name in ("scheme", *varied):
        shown.add_column(name.replace("_", " "), no_wrap=True)
    for level in levels:
        shown.add_column(f"{level:g} dB", justify="right", no_wrap=True)
    lines: dict[tuple[Any, ...], dict[float, str]] = {}
    for row, value in rows:
        lines.setdefault(tuple(row[name] for name in ("scheme", *varied)), {})[row["snr_db"]] = value
    # Schemes and channels as they were asked for, numbers rising.
    places = {value: place for place, value in enumerate(dict.fromkeys(v for line in lines for v in line))}
    for line in sorted(lines, key=lambda line: [v if isinstance(v, int | float) else places[v] for v in line]):
        shown.add_row(*(str(name) for name in line), *(lines[line].get(level, "-") for level in levels))
    return shown


def _percent(row: dict[Any, Any]) -> str:
    return _with_interval(100 * row["accuracy"], 100 * row["accuracy_low"], 100 * row["accuracy_high"], 1)


def _plain(row: dict[Any, Any]) -> str:
    return _with_interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"], 3)


def _with_interval(value: float, low: float, high: float, digits: int) -> str:
    """Half of the interval; or both ends, where one is twice as far as the other and the difference shows.

    >>> _with_interval(97.0, 96.0, 98.0, 1), _with_interval(97.5, 46.0, 100.0, 1)
    ('97.0 ±1.0', '97.5 [46.0, 100.0]')
    """
    below, above = sorted((value - low, high - value))
    if above > 2 * below and above - below > 5 * 10.0**-digits:
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{value:.{digits}f} ±{(high - low) / 2:.{digits}f}"
